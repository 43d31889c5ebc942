import MonitorProtocol

/// The workers in the order in which holdfastd has told of them, which is the tree's.
struct WorkerList {
    private var names: [String] = []
    private var byName: [String: WatchedWorker] = [:]

    var count: Int { names.count }
    var inOrder: [WatchedWorker] { names.compactMap { byName[$0] } }

    subscript(name: String) -> WatchedWorker? { byName[name] }

    mutating func add(_ worker: WatchedWorker) {
        let name = worker.description.name
        if byName.updateValue(worker, forKey: name) == nil { names.append(name) }
    }

    mutating func remove(_ name: String) -> WatchedWorker? {
        guard let worker = byName.removeValue(forKey: name) else { return nil }
        names.removeAll { $0 == name }
        return worker
    }
}
