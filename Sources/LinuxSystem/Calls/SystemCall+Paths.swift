import Glibc

/// Where this process is, and where links lead.
extension SystemCall {
    /// getcwd(3).
    package static func currentDirectory() throws(SystemError) -> String {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) {
            (buffer) throws(SystemError) -> String in
            guard let start = buffer.baseAddress, getcwd(start, buffer.count) != nil else {
                throw SystemError(call: "getcwd", errno: errno)
            }
            return String(cString: start)
        }
    }

    /// The text of a symbolic link (readlink(2)).
    package static func linkTarget(_ path: String) throws(SystemError) -> String {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) {
            (buffer) throws(SystemError) -> String in
            guard let start = buffer.baseAddress else { return "" }
            let count = try perform("readlink", path) { readlink(path, start, buffer.count) }
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(count), as: UTF8.self)
        }
    }
}
