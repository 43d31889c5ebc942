import MonotonicTime

/// What operators ask of a worker. Their requests count neither as failures nor as restarts.
extension SupervisorTree {
    mutating func requested(_ worker: WorkerID, _ request: OperatorRequest) {
        guard workers.contains(worker), !departing.contains(worker) else { return }
        switch request {
        case .start: want(worker)
        case .stop: unwant(worker)
        case .restart:
            want(worker)
            switch workers[worker].phase {
            case .starting, .running, .ready, .paused, .stopping: requestStop(worker)
            case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
            }
        }
        settleParent(of: worker)
    }

    private mutating func want(_ worker: WorkerID) {
        workers[worker].isWanted = true
        workers[worker].forgetFailures()
        workers[worker].skipsGate = true
        unparkSupervisors(of: worker)
        switch workers[worker].phase {
        case .stopped, .waiting, .backingOff, .failed, .finished: lineUp(worker)
        case .held: break
        case .stopping: break  // it comes up again when it is down
        case .ready(var live):
            live.stableAt = nil
            enter(worker, .ready(live))
            workers[worker].skipsGate = false
        case .starting, .running, .paused: workers[worker].skipsGate = false
        }
    }

    private mutating func unwant(_ worker: WorkerID) {
        workers[worker].isWanted = false
        workers[worker].forgetFailures()
        workers[worker].skipsGate = false
        workers[worker].brokenSince = nil
        switch workers[worker].phase {
        case .starting, .running, .ready, .paused, .stopping: requestStop(worker)
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: enter(worker, .stopped)
        }
    }

    /// An operator who starts a worker does not want to wait for its parked supervisor's schedule.
    private mutating func unparkSupervisors(of worker: WorkerID) {
        var supervisor = workers[worker].parent
        while let current = supervisor {
            if case .parked = supervisors[current].phase { unpark(current, skippingGate: true) }
            supervisor = supervisors[current].parent
        }
    }

    /// Lets a parked supervisor be started again, with an empty window.
    /// - Parameter skippingGate: whatever its predecessors are doing.
    mutating func unpark(_ supervisor: SupervisorID, skippingGate: Bool) {
        report(.supervisorRetried(supervisor: supervisors[supervisor].name))
        supervisors[supervisor].owesRestart = false
        supervisors[supervisor].skipsGate = skippingGate
        if supervisors[supervisor].parent == nil {
            bringUp(supervisor)
        } else {
            supervisors[supervisor].phase = .waiting
        }
    }
}
