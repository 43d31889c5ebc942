import MonotonicTime

/// Pausing: a worker's processes stand still exactly while at least one reason holds, and time does not count against it.
extension SupervisorTree {
    mutating func pause(_ worker: WorkerID, for reason: PauseReason) {
        guard workers.contains(worker), !departing.contains(worker) else { return }
        guard !(workers[worker].specification.isEssential && reason.isShedding) else { return }
        workers[worker].pauseReasons.insert(reason)
        switch workers[worker].phase {
        case .running, .ready: freeze(worker)
        case .waiting, .backingOff: enter(worker, .held)
        case .starting: break  // frozen as soon as its program runs
        case .paused, .stopping, .held: break
        case .stopped, .failed, .finished: break  // it is not to be started now, with or without a reason
        }
        settleParent(of: worker)
    }

    mutating func resume(_ worker: WorkerID, from reason: PauseReason) {
        guard workers.contains(worker), workers[worker].pauseReasons.remove(reason) != nil,
            workers[worker].pauseReasons.isEmpty
        else { return }
        endPause(worker)
        settleParent(of: worker)
    }

    /// No reason holds any more.
    mutating func endPause(_ worker: WorkerID) {
        switch workers[worker].phase {
        case .paused(let live): thaw(worker, live)
        case .held: release(worker)
        case .starting, .running, .ready, .stopping: break
        case .stopped, .waiting, .backingOff, .failed, .finished: break
        }
    }

    /// Stops the group and every clock that would count its silence against it.
    mutating func freeze(_ worker: WorkerID) {
        guard var live = workers[worker].phase.instance else { return }
        actions.append(.freezeGroup(worker, live.id))
        if let stableAt = live.stableAt { live.stabilityRemaining = now.duration(to: stableAt) }
        live.stableAt = nil
        live.suspendCheckpoints()
        live.watchdogDeadline = nil
        enter(worker, .paused(live))
    }

    mutating func thaw(_ worker: WorkerID, _ live: LiveInstance) {
        var live = live
        actions.append(.thawGroup(worker, live.id))
        live.startDeadline = now + workers[worker].specification.startTimeout
        if live.hasAnnouncedStop {
            announceStop(worker, live)
        } else if live.wasReady {
            becomeReady(worker, live)
        } else {
            enter(worker, .running(live))
        }
    }

    /// A held worker goes on where it was held up.
    private mutating func release(_ worker: WorkerID) {
        guard let parent = workers[worker].parent, workers[worker].owesRestart, admitsStarts(parent) else {
            return enter(worker, .waiting)
        }
        let until = workers[worker].notBefore ?? now
        enter(worker, .backingOff(until: until))
        guard !supervisors[parent].isInStopScope(.worker(worker)) else { return }
        let isGroupAffected = restartGroup(
            of: .worker(worker), named: workers[worker].specification.name, in: parent)
        if !isGroupAffected, until <= now { spawn(worker) }
    }
}
