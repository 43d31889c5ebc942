import Glibc
import LinuxSystem

/// A directory of a test's own, removed with everything in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/holdfast-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError(call: "mkdtemp", errno: errno) }
        path = String(cString: made)
    }

    deinit {
        TemporaryDirectory.remove(path)
    }

    private static func remove(_ path: String) {
        for name in (try? SystemCall.names(inDirectory: path)) ?? [] {
            let child = path + "/" + name
            if (try? SystemCall.status(of: child, followingLinks: false))?.kind == .directory {
                remove(child)
            } else {
                try? SystemCall.removeFile(child)
            }
        }
        try? SystemCall.removeDirectory(path)
    }
}
