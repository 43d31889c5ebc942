import Glibc

/// Small files of central's data folder. Written beside their place, synced and moved there, so that they are whole or
/// not there.
struct SecretFile {
    let path: String

    /// - Returns: `nil` when there is none.
    func read() throws(CentralError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw failure("read") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < bytes.count {
            let got = readSome(descriptor, &bytes, count)
            guard got >= 0 else { throw failure("read") }
            if got == 0 { break }
            count += got
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func readSome(_ descriptor: Int32, _ bytes: inout [UInt8], _ offset: Int) -> Int {
        bytes.withUnsafeMutableBytes { buffer in
            Glibc.read(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
        }
    }

    /// - Parameter mode: such as 0600 for keys.
    func write(_ text: String, mode: mode_t) throws(CentralError) {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write") }
        let bytes = Array(text.utf8)
        let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(draft, path) == 0 else { throw failure("write") }
    }

    private func failure(_ verb: String) -> CentralError {
        CentralError(.dataFolder, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
