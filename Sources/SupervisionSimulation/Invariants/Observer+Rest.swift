import MonotonicTime
import Supervision

extension Observer {
    /// Whether nothing is under way any more: each worker is up, or down for a reason that nobody but a person or a
    /// pause source can remove.
    func isAtRest(_ status: TreeStatus) -> Bool { unrest(status) == nil }

    /// What is still under way, in words.
    func unrest(_ status: TreeStatus) -> String? {
        if isShuttingDown { return isComplete ? nil : "the shutdown is not complete" }
        for shown in status.supervisors where shown.state != .up {
            if shown.state == .parked, shown.nextAttempt == nil { continue }
            if isBelowForParked(shown.name, status) || isBehindBlocked(shown.name, status) { continue }
            return "supervisor \(shown.name) is \(shown.state)"
        }
        for worker in roster where worker.isRemoved && !worker.isForgotten {
            return "\(worker.name) was removed, but is not forgotten"
        }
        for shown in status.workers {
            guard let worker = workers[shown.id], !worker.isRemoved else { continue }
            if let unrest = unrest(worker, shown) { return unrest }
        }
        return nil
    }

    private func unrest(_ worker: WorkerModel, _ shown: WorkerStatus) -> String? {
        guard let instance = worker.instance else {
            return shown.nextAttempt == nil && shown.state != .backingOff ? nil : "\(shown.name) is \(shown.state)"
        }
        let isQuiet = instance.isUp && instance.announcedStop == nil && (instance.isReady || instance.isFrozen)
        return isQuiet ? nil : "\(shown.name) is \(shown.state)"
    }

    /// Whether a supervisor above is parked for good, or alone given up by its parent.
    private func isBelowForParked(_ name: String, _ status: TreeStatus) -> Bool {
        guard let supervisor = supervisors[name] else { return false }
        return supervisor.ancestors.contains { ancestor in
            status.supervisors.contains { $0.name == ancestor.name && $0.state == .parked && $0.nextAttempt == nil }
        }
    }

    /// Whether it waits in a start sequence behind a worker that waits for a predecessor at rest.
    private func isBehindBlocked(_ name: String, _ status: TreeStatus) -> Bool {
        guard let supervisor = supervisors[name] else { return false }
        for current in [supervisor] + supervisor.ancestors {
            guard let parent = current.parent else { return false }
            let earlier = parent.places.lowerBound..<max(parent.places.lowerBound, current.places.lowerBound)
            if order[earlier].contains(where: { $0.shown?.state == .waiting && $0.supervisor === parent }) {
                return true
            }
        }
        return false
    }

    /// At rest, a wake-up needs a running watchdog, or a checkpoint that has to come, as its reason.
    func checkIdle() {
        guard nextDeadline != nil else { return }
        let isWatching = roster.contains { $0.instance.map { $0.watchdog != nil || !$0.checkpoints.isEmpty } ?? false }
        require(
            isWatching, .deadlineProgress,
            "everything is at rest and no watchdog runs, but the tree asks to be woken up")
    }
}
