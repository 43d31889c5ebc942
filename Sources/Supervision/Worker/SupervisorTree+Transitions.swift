import MonotonicTime

extension SupervisorTree {
    mutating func report(_ report: Report) {
        actions.append(.report(report))
    }

    /// The only place where a worker's phase changes.
    mutating func enter(_ worker: WorkerID, _ phase: WorkerPhase) {
        let before = workers[worker].phase.state
        workers[worker].phase = phase
        if before != phase.state { report(.workerChanged(worker, from: before, to: phase.state)) }
    }

    /// Down and wanted: the next start sequence takes it up, or a pause reason holds it.
    mutating func lineUp(_ worker: WorkerID) {
        enter(worker, workers[worker].pauseReasons.isEmpty ? .waiting : .held)
    }

    /// Its restart was refused. With a park of the whole supervisor it waits for that; alone, it has been parked already.
    mutating func lineUpAfterRefusal(_ worker: WorkerID, by parent: SupervisorID) {
        // The next try is free, or an allowance of no restarts would refuse it for ever.
        workers[worker].owesRestart = false
        workers[worker].skipsGate = false
        if supervisors[parent].intensity.scope == .shared { lineUp(worker) }
    }

    mutating func settleParent(of worker: WorkerID) {
        if workers.contains(worker), let parent = workers[worker].parent { settle(parent) }
    }
}
