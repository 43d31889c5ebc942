import LinuxSystem

/// A directory of a test's own below /tmp, removed with everything in it when the test lets go of it.
package final class TemporaryDirectory {
    package let path: String

    package init() throws {
        var generator = SystemRandomNumberGenerator()
        path = "/tmp/holdfast-\(String(generator.next(), radix: 36))"
        try SystemCall.makeDirectory(path, permissions: 0o755)
    }

    deinit { TemporaryDirectory.remove(path) }

    /// Writes a file below the directory, making the folders that lead to it.
    /// - Returns: its path.
    @discardableResult
    package func write(_ name: String, _ text: String, permissions: UInt32 = 0o644) throws -> String {
        try write(name, Array(text.utf8), permissions: permissions)
    }

    /// Writes a file below the directory, making the folders that lead to it.
    /// - Returns: its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8], permissions: UInt32 = 0o644) throws -> String {
        let file = "\(path)/\(name)"
        if let slash = file.lastIndex(of: "/") { try? SystemCall.makeDirectory(String(file[..<slash])) }
        let descriptor = try SystemCall.open(file, [.writeOnly, .create, .truncate], permissions: permissions)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard case .done(let count) = try SystemCall.write(descriptor.rawValue, Array(rest)) else { break }
            rest = rest.dropFirst(count)
        }
        return file
    }

    private static func remove(_ path: String) {
        for name in (try? SystemCall.names(inDirectory: path)) ?? [] {
            let child = "\(path)/\(name)"
            if (try? SystemCall.status(of: child, followingLinks: false))?.kind == .directory {
                remove(child)
            } else {
                try? SystemCall.removeFile(child)
            }
        }
        try? SystemCall.removeDirectory(path)
    }
}
