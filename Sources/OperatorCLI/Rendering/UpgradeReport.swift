import ControlProtocol

/// `holdfast upgrade`: which version runs now, and what became of the workers.
struct UpgradeReport {
    private let before: RuntimeReport
    private let after: RuntimeReport
    private let kept: [String]
    private let others: [String]

    init(before: StatusReport, after: StatusReport) {
        self.before = before.runtime
        self.after = after.runtime
        let pids = Dictionary(before.workers.map { ($0.name, $0.pid) }) { first, _ in first }
        // The runtime's own processes are of the new version as well.
        let workers = after.workers.filter { $0.supervisor != "system" && $0.pid != nil }
        kept = workers.filter { pids[$0.name] == $0.pid }.map(\.name)
        others = workers.filter { pids[$0.name] != $0.pid }.map(\.name)
    }

    var lines: [String] {
        let versions = before.version == after.version ? after.version : "\(before.version) -> \(after.version)"
        let restarted =
            others.isEmpty ? "" : "; started anew: " + others.map(\.escapedForTerminal).joined(separator: ", ")
        let workers = kept.count == 1 ? "1 worker runs on" : "\(kept.count) workers run on"
        return ["holdfastd \(versions.escapedForTerminal), pid \(after.pid): \(workers)\(restarted)"]
    }

    var json: JSONValue {
        [
            "version_before": .string(before.version), "version": .string(after.version), "pid": .int(Int64(after.pid)),
            "kept": .array(kept.map { .string($0) }), "started": .array(others.map { .string($0) }),
        ]
    }
}
