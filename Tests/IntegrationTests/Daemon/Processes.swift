import Foundation

/// Processes as /proc shows them.
enum Processes {
    /// The pids, zombies excluded, whose initial environment contains `entry` (or begins an entry with it).
    /// - Parameter isWhole: whether only the whole entry counts.
    static func withEnvironment(
        _ entry: String, isWhole: Bool = false, descendingFrom ancestor: Int32? = nil
    ) -> [Int32] {
        all.filter { pid in
            guard let environment = try? String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8),
                environment.split(separator: "\0").contains(where: { isWhole ? $0 == entry : $0.hasPrefix(entry) })
            else { return false }
            guard let ancestor else { return true }
            return descends(pid, from: ancestor)
        }
    }

    private static var all: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    private static func descends(_ pid: Int32, from ancestor: Int32) -> Bool {
        var current = pid
        while current > 1 {
            if current == ancestor { return true }
            guard let stat = try? String(contentsOfFile: "/proc/\(current)/stat", encoding: .utf8),
                let afterName = stat.lastIndex(of: ")"),
                let parent = Int32(stat[stat.index(after: afterName)...].split(separator: " ")[1])
            else { return false }
            current = parent
        }
        return false
    }
}
