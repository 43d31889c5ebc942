import ControlProtocol

/// What a process uses, in the units of a reader.
struct ProcessUsage: Equatable {
    /// Of one processor; of all threads together it may exceed 100.
    var cpuPercent: Double
    var residentBytes: Int
    var threads: Int
}

/// One row of `holdfast top`.
struct TopRow: Equatable {
    var worker: WorkerReport
    /// `nil` when there is no process, or it is gone, or it hides from this user.
    var usage: ProcessUsage?

    private enum Key: String {
        case name, state, pid, threads
        case cpuPercent = "cpu_percent"
        case residentBytes = "rss_bytes"
    }

    var json: JSONValue {
        [
            Key.name.rawValue: worker.name.json, Key.state.rawValue: worker.state.json,
            Key.pid.rawValue: worker.pid.json,
            Key.cpuPercent.rawValue: (usage.map { ($0.cpuPercent * 10).rounded() / 10 }).json,
            Key.residentBytes.rawValue: (usage?.residentBytes).json, Key.threads.rawValue: (usage?.threads).json,
        ]
    }
}
