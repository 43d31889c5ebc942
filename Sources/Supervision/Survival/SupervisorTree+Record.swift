/// What has to survive this supervisor.
extension SupervisorTree {
    /// The whole tree.
    package var record: TreeRecord {
        var record = TreeRecord(lastInstance: lastInstance, isShuttingDown: shutdown != .none)
        for worker in workers.ids { record.workers[workers[worker].specification.name] = self.record(of: worker) }
        for supervisor in supervisors.ids {
            record.supervisors[supervisors[supervisor].name] = self.record(of: supervisor)
        }
        return record
    }

    /// Whether `takeChanges` would find anything.
    package var hasChanges: Bool { workers.hasTouched || supervisors.hasTouched || !removed.isEmpty }

    /// What may have changed since the last call; all of it at the first.
    package mutating func takeChanges() -> TreeChanges {
        var changes = TreeChanges(lastInstance: lastInstance, isShuttingDown: shutdown != .none)
        changes.workers = workers.takeTouched().map { record(of: $0) }
        changes.supervisors = supervisors.takeTouched().map { record(of: $0) }
        changes.removedWorkers = removed.workers
        changes.removedSupervisors = removed.supervisors
        removed = Removed()
        return changes
    }

    /// The names of those that have left the tree since the last `takeChanges`.
    struct Removed: Sendable {
        var workers: [String] = []
        var supervisors: [String] = []

        var isEmpty: Bool { workers.isEmpty && supervisors.isEmpty }
    }

    private func record(of worker: WorkerID) -> WorkerRecord {
        let node = workers[worker]
        return WorkerRecord(
            name: node.specification.name, launch: node.specification.launch, watchdog: node.specification.watchdog,
            phase: node.phase, isWanted: node.isWanted, pauseReasons: node.pauseReasons, failures: node.failures,
            owesRestart: node.owesRestart, notBefore: node.notBefore, skipsGate: node.skipsGate,
            brokenSince: node.brokenSince, restarts: node.restarts, lastExit: node.lastExit,
            lastFailure: node.lastFailure, isDeparting: departing.contains(worker),
            stopPlan: node.phase.isDown ? nil : node.specification.stopPlan,
            watchdogSignal: node.phase.isDown ? nil : node.specification.watchdogSignal)
    }

    private func record(of supervisor: SupervisorID) -> SupervisorRecord {
        let node = supervisors[supervisor]
        let areAllScoped = node.scope != nil && node.entries.allSatisfy(\.isInStopScope)
        return SupervisorRecord(
            name: node.name, phase: node.phase, scope: node.scope,
            areAllScoped: areAllScoped,
            scoped: areAllScoped ? [] : node.entries.filter(\.isInStopScope).map { name(of: $0.child) },
            restarts: node.restarts.map { SupervisorRecord.Restart(child: $0.child, at: $0.at) },
            owesRestart: node.owesRestart, skipsGate: node.skipsGate)
    }
}
