import Glibc

/// Makes sure that only one runtime works in a directory: an exclusive flock(2) on a file in it, which the kernel lets
/// go of however the holder ends. The file stays: removing it would let two holders lock two files.
package final class DirectoryLock {
    /// The file's name in the directory; it holds the pid of the holder, for people.
    package static let fileName = "lock"

    private let file: Descriptor

    /// Takes the lock; never waits. When another process has it the error is EWOULDBLOCK by flock, about "PATH (held by
    /// process PID)".
    package init(_ directory: String) throws(SystemError) {
        let path = directory + "/" + DirectoryLock.fileName
        let file = try SystemCall.open(path, [.readWrite, .create, .noFollow], permissions: 0o644)
        do throws(SystemError) {
            try SystemCall.perform("flock", path) { flock(file.rawValue, LOCK_EX | LOCK_NB) }
        } catch {
            guard error.errno == EWOULDBLOCK else { throw error }
            let holder = (try? SystemCall.readFile(path, limit: 16)) ?? []
            let digits = String(decoding: holder.prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self)
            throw error.about(digits.isEmpty ? path : "\(path) (held by process \(digits))")
        }
        // For people only: a file system that is full is no reason to fail.
        try? SystemCall.truncate(file.rawValue, to: 0)
        _ = try? SystemCall.write(file.rawValue, Array("\(getpid())\n".utf8))
        self.file = file
    }
}
