import Supervision

extension TreeRecord {
    /// How far clocks and stops had got need not be written down: they begin anew.
    var withoutClocks: TreeRecord {
        var record = self
        for name in record.workers.keys { record.workers[name]?.phase.forgetClocks() }
        return record
    }
}

extension WorkerPhase {
    fileprivate mutating func forgetClocks() {
        switch self {
        case .starting(let live): self = .starting(live.withoutClocks)
        case .running(let live): self = .running(live.withoutClocks)
        case .ready(let live): self = .ready(live.withoutClocks)
        case .paused(let live): self = .paused(live.withoutClocks)
        case .stopping(let live, var stop):
            stop.remainingSteps = stop.steps
            stop.isKilled = false
            stop.deadline = stop.begunAt
            self = .stopping(live.withoutClocks, stop)
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }
}

extension LiveInstance {
    fileprivate var withoutClocks: LiveInstance {
        var live = self
        live.startDeadline = live.spawnedAt
        live.watchdogDeadline = nil
        live.checkpoints = live.checkpoints.map { LiveInstance.Checkpoint($0.name) }
        live.stableAt = nil
        return live
    }
}
