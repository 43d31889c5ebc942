/// The rule for paths within a bundle: printable ASCII, relative, nothing that leads elsewhere.
enum BundlePath {
    static let allowed =
        "1 to \(BundleLimits.pathBytes) printable ASCII characters, relative, without \"\\\", empty parts, \".\" or \"..\""

    static func isSafe(_ path: String) -> Bool {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= BundleLimits.pathBytes,
            bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") })
        else { return false }
        let parts = components(path)
        return parts.count <= BundleLimits.pathDepth
            && parts.allSatisfy {
                !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= BundleLimits.pathComponentBytes
            }
    }

    static func components(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false)
    }

    /// The folders that lead to a path: "a" and "a/b" for "a/b/c".
    static func folders(of path: String) -> [String] {
        var folders: [String] = []
        for (index, byte) in zip(path.utf8.indices, path.utf8) where byte == UInt8(ascii: "/") {
            folders.append(String(path[..<index]))
        }
        return folders
    }

    /// Where a symbolic link leads: `nil` when that is outside, or when the text goes up after having gone down.
    static func destination(of target: String, at link: String) -> String? {
        var folder = components(link).dropLast().map(String.init)
        var parts = components(target)[...]
        while parts.first == ".." {
            guard !folder.isEmpty else { return nil }
            folder.removeLast()
            parts = parts.dropFirst()
        }
        let path = (folder + parts.map(String.init)).joined(separator: "/")
        return isSafe(path) ? path : nil
    }
}
