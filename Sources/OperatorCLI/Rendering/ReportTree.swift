import ControlProtocol

/// The supervisors and workers of a report, each below its parent. Whatever a report claims, every supervisor and every
/// worker appears exactly once.
struct ReportTree {
    indirect enum Node {
        case worker(WorkerReport)
        case supervisor(SupervisorReport, children: [Node])
    }

    let roots: [Node]

    init(_ report: StatusReport) {
        var remainingSupervisors = report.supervisors
        var remainingWorkers = report.workers

        func take(_ name: String) -> Node? {
            if let index = remainingSupervisors.firstIndex(where: { $0.name == name }) {
                // Taken out before its children are looked up: a cycle ends here.
                let supervisor = remainingSupervisors.remove(at: index)
                return .supervisor(supervisor, children: supervisor.children.compactMap(take))
            }
            guard let index = remainingWorkers.firstIndex(where: { $0.name == name }) else { return nil }
            return .worker(remainingWorkers.remove(at: index))
        }

        var roots = report.supervisors.filter { $0.parent == nil }.compactMap { take($0.name) }
        while let orphan = remainingSupervisors.first { roots += [take(orphan.name)].compactMap(\.self) }
        roots += remainingWorkers.map { .worker($0) }
        self.roots = roots
    }
}

extension ReportTree.Node {
    private enum Key: String { case kind, children }

    /// The worker's or supervisor's own object, with its kind, and with objects instead of names as children.
    var json: JSONValue {
        switch self {
        case .worker(let worker):
            return Self.tagged("worker", worker.json)
        case .supervisor(let supervisor, let children):
            guard case .object(var object) = Self.tagged("supervisor", supervisor.json) else { return .null }
            object[Key.children.rawValue] = .array(children.map(\.json))
            return .object(object)
        }
    }

    private static func tagged(_ kind: String, _ value: JSONValue) -> JSONValue {
        let members = value.objectValue?.members ?? []
        return .object(JSONObject([.init(key: Key.kind.rawValue, value: .string(kind))] + members))
    }
}
