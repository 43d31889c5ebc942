/// A mount of the cgroup2 hierarchy, which need not be at /sys/fs/cgroup and need not show the hierarchy's root.
struct CgroupMount: Hashable {
    /// The part of the hierarchy that is mounted.
    var root: String
    /// Where in the file system.
    var point: String

    /// The cgroup2 mounts of this process, the deepest first.
    static func current() -> [CgroupMount] {
        let bytes = (try? SystemCall.readFile("/proc/self/mountinfo", limit: 1 << 20)) ?? []
        return parse(String(decoding: bytes, as: UTF8.self))
    }

    /// Parses mountinfo (proc_pid_mountinfo(5)): "36 35 98:0 ROOT POINT options [optional ...] - TYPE source options".
    static func parse(_ mountinfo: String) -> [CgroupMount] {
        mountinfo.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, dash + 1 < fields.count,
                fields[dash + 1] == "cgroup2"
            else { return nil }
            return CgroupMount(root: unescaped(fields[3]), point: unescaped(fields[4]))
        }
        .sorted { $0.point.utf8.count > $1.point.utf8.count }
    }

    /// The name in the hierarchy of a directory under the mount.
    func name(of path: String) -> String? {
        guard let rest = CgroupMount.remainder(of: path, under: point) else { return nil }
        let whole = (root == "/" ? "" : root) + rest
        return whole.isEmpty ? "/" : whole
    }

    /// The directory of a cgroup by its name in the hierarchy.
    func path(of name: String) -> String? {
        guard let rest = CgroupMount.remainder(of: name, under: root) else { return nil }
        return point + rest
    }

    /// What follows the directory in the path: empty, or beginning with a slash.
    private static func remainder(of path: String, under directory: String) -> String? {
        var path = Substring(path)
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        if path == directory { return "" }
        if directory == "/" { return path.hasPrefix("/") ? String(path) : nil }
        guard path.hasPrefix(directory + "/") else { return nil }
        return String(path.dropFirst(directory.count))
    }

    /// Spaces, tabs, newlines and backslashes appear as "\040" and so on.
    private static func unescaped(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        var result: [UInt8] = []
        var bytes = Array(field.utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\\"), bytes.count >= 3,
                let code = UInt8(String(decoding: bytes.prefix(3), as: UTF8.self), radix: 8)
            {
                result.append(code)
                bytes = bytes.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
