import CLinux
import Glibc

extension SystemCall {
    /// A copy of a file in memory that nobody can change any more (memfd_create(2), sealed): what was checked is what is used.
    ///
    /// - Parameters:
    ///   - file: open for reading; read from its beginning, wherever it stands.
    ///   - name: shown in /proc, and of no other use.
    ///   - limit: in bytes; EFBIG for what is longer.
    package static func sealedCopy(of file: Int32, named name: String, limit: Int) throws(SystemError) -> Descriptor {
        let copy = Descriptor(owning: try perform("memfd_create") { hf_library_file(name) })
        var total = 0
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { (buffer) throws(SystemError) in
            while true {
                let count = try perform("pread") { pread(file, buffer.baseAddress, buffer.count, off_t(total)) }
                if count == 0 { return }
                total += count
                guard total <= limit else { throw SystemError(call: "read", errno: EFBIG, subject: name) }
                var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                while !rest.isEmpty {
                    let written = try perform("write") { Glibc.write(copy.rawValue, rest.baseAddress, rest.count) }
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                }
            }
        }
        try perform("fcntl") { hf_seal_file(copy.rawValue) }
        return copy
    }
}
