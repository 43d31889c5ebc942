import Foundation
import Testing

/// What holds a worker's processes together: its session alone, or a control group as well.
enum Containment: String, CaseIterable, CustomTestStringConvertible {
    case session, cgroup

    /// Those that this machine and this user's rights allow; when the whole list runs with cgroups, those alone.
    static let available = allCases.filter { $0 == .session ? variable == nil : home != nil }

    /// Without a test's own choice: set `HOLDFAST_TEST_CGROUP` to a cgroup2 directory, and the whole list runs with
    /// cgroups.
    static var standard: Containment { variable == nil ? .session : .cgroup }

    var testDescription: String { rawValue }

    private static let variable = ProcessInfo.processInfo.environment["HOLDFAST_TEST_CGROUP"]

    /// A cgroup2 directory in which others can be made.
    private static let home: String? = {
        if let variable { return variable }
        guard getuid() == 0, let mounts = try? String(contentsOfFile: "/proc/mounts", encoding: .utf8) else {
            return nil
        }
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ").map { String($0) }
            if fields.count > 3, fields[2] == "cgroup2", access(fields[1], W_OK) == 0 { return fields[1] }
        }
        return nil
    }()

    /// The directory for the workers of one daemon; `nil` without cgroups.
    func makeDirectory(named name: String) throws -> String? {
        guard self == .cgroup else { return nil }
        let path = "\(try #require(Self.home))/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    /// Removes the directory, which has to be without processes a moment later.
    static func remove(_ path: String) {
        for child in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where !child.hasPrefix("cgroup.") { rmdir("\(path)/\(child)") }
        if rmdir(path) < 0, errno != ENOENT { Issue.record("left in \(path): \(errno)") }
    }
}
