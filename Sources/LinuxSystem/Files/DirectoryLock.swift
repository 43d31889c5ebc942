import Glibc
import MonotonicTime

/// Makes sure that only one runtime works in a directory: an exclusive flock(2) on a file in it, which the kernel lets
/// go of however the holder ends. The file stays: removing it would let two holders lock two files.
package final class DirectoryLock {
    /// The file's name in the directory; it holds the pid of the holder, for people.
    package static let fileName = "lock"

    private let file: Descriptor
    private static let retryPause: Duration = .milliseconds(5)

    /// Takes the lock. When another process that lives has it, the error is `isLockedByAnother`, at once. A holder that is
    /// gone may have left children that it had just cloned and that have not come to closing their copy: those are
    /// waited for.
    /// - Parameter patience: how long.
    package init(_ directory: String, waitingForOrphans patience: Duration = .seconds(5)) throws(SystemError) {
        let path = directory + "/" + DirectoryLock.fileName
        let file = try SystemCall.open(path, [.readWrite, .create, .noFollow], permissions: 0o644)
        let deadline = MonotonicClock.now() + patience
        while true {
            do throws(SystemError) {
                try SystemCall.perform("flock", path) { flock(file.rawValue, LOCK_EX | LOCK_NB) }
                break
            } catch {
                guard error.isLockedByAnother, !Self.isHolderAlive(directory), MonotonicClock.now() < deadline else {
                    throw error
                }
                SystemCall.sleep(for: Self.retryPause)
            }
        }
        // For people only: a file system that is full is no reason to fail.
        try? SystemCall.truncate(file.rawValue, to: 0)
        _ = try? SystemCall.write(file.rawValue, Array("\(getpid())\n".utf8))
        self.file = file
    }

    /// Whether the process that took the lock still runs, and is another one than this: after an upgrade in place it is not.
    private static func isHolderAlive(_ directory: String) -> Bool {
        guard let pid = holder(of: directory).flatMap({ Int32($0) }), pid != getpid() else { return false }
        return ProcessStatus(of: pid).map { !$0.isZombie } ?? false
    }

    /// The pid that the holder of a directory's lock has left in the file, for people.
    package static func holder(of directory: String) -> String? {
        let text = (try? SystemCall.readFile(directory + "/" + DirectoryLock.fileName, limit: 16)) ?? []
        let digits = text.prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }
}

extension SystemError {
    /// Another process holds the lock.
    package var isLockedByAnother: Bool { call == "flock" && errno == EWOULDBLOCK }
}
