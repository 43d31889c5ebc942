import LinuxSystem

/// A file that something is fetched into, which an earlier try may have begun.
enum PartialFile {
    /// Opens it, with room on the disk for all of it. What is too long is none of it, and goes.
    /// - Returns: the descriptor, which is the caller's, and how much is there already, in bytes.
    static func open(_ path: String, length: Int) throws(SystemError) -> (file: Int32, offset: Int) {
        let file = try SystemCall.open(path, [.readWrite, .create, .noFollow], permissions: 0o600)
        var size = Int(try SystemCall.status(file.rawValue).size)
        if size > length {
            try SystemCall.truncate(file.rawValue, to: 0)
            size = 0
        }
        do throws(SystemError) {
            try SystemCall.reserve(file.rawValue, size: Int64(length))
        } catch {
            guard error.isNotSupported else { throw error }
        }
        return (file.release(), size)
    }
}
