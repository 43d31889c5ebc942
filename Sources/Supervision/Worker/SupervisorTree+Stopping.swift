import MonotonicTime

extension StopPlan {
    /// How much longer than its plan a stop may take because the worker asks for it with EXTEND_TIMEOUT_USEC; a stop
    /// has to end, whatever a worker says.
    package static let longestExtension: Duration = .seconds(600)
}

/// Stop plans: signals with graces, a kill of the whole group at the end, and the group's disappearance.
extension SupervisorTree {
    /// Asks a worker to go down without calling it a failure. Safe to repeat.
    mutating func requestStop(_ worker: WorkerID) {
        switch workers[worker].phase {
        case .starting, .running, .ready, .paused:
            beginStop(worker, for: .requested)
        case .stopping(let live, var stop):
            let wasAnnounced = stop.purpose == .announced && stop.exit == nil && !stop.isKilled
            if wasAnnounced {
                beginStop(worker, for: .requested)
            } else {
                stop.isRequestedToo = true
                enter(worker, .stopping(live, stop))
            }
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    mutating func beginStop(_ worker: WorkerID, for purpose: Stop.Purpose) {
        var plan = workers[worker].specification.stopPlan
        if case .failure = purpose {
            let signal = workers[worker].specification.watchdogSignal
            plan.steps =
                signal == .kill ? [] : plan.steps.prefix(1).map { StopPlan.Step(signal: signal, grace: $0.grace) }
        }
        beginStop(worker, for: purpose, by: plan)
    }

    mutating func beginStop(_ worker: WorkerID, for purpose: Stop.Purpose, by plan: StopPlan) {
        guard var live = workers[worker].phase.instance else { return }
        if case .paused = workers[worker].phase { actions.append(.thawGroup(worker, live.id)) }
        live.watchdogDeadline = nil
        live.suspendCheckpoints()
        live.stableAt = nil
        var stop = Stop(
            purpose: purpose, begunAt: now, steps: plan.steps, killGrace: plan.killGrace, deadline: now)
        takeNextStep(worker, live, &stop)
        enter(worker, .stopping(live, stop))
    }

    /// `STOPPING=1`: it goes by itself, and has its plan's whole grace for it.
    mutating func announceStop(_ worker: WorkerID, _ live: LiveInstance) {
        awaitAnnouncedStop(worker, live)
        settleParent(of: worker)
    }

    mutating func awaitAnnouncedStop(_ worker: WorkerID, _ live: LiveInstance, isRequestedToo: Bool = false) {
        let plan = workers[worker].specification.stopPlan
        let grace = plan.steps.reduce(.zero) { $0 + $1.grace }
        let stop = Stop(
            purpose: .announced, isRequestedToo: isRequestedToo, begunAt: now, killGrace: plan.killGrace,
            deadline: now + grace)
        enter(worker, .stopping(live, stop))
    }

    /// The stop's deadline has come.
    mutating func advanceStop(_ worker: WorkerID, _ live: LiveInstance, _ stop: Stop) {
        var stop = stop
        guard !stop.isKilled else {
            actions.append(.abandonGroup(worker, live.id))
            report(.groupAbandoned(worker, live.id))
            stop.exit = stop.exit ?? .unknown
            return finishStop(worker, live, stop)
        }
        takeNextStep(worker, live, &stop)
        enter(worker, .stopping(live, stop))
    }

    private mutating func takeNextStep(_ worker: WorkerID, _ live: LiveInstance, _ stop: inout Stop) {
        guard !stop.remainingSteps.isEmpty else { return killGroup(worker, live, &stop) }
        let step = stop.remainingSteps.removeFirst()
        actions.append(.signalGroup(worker, live.id, step.signal))
        // A process that somebody stopped takes no signal but this one; systemd does the same.
        actions.append(.signalGroup(worker, live.id, .continue))
        stop.deadline = now + step.grace
    }

    private mutating func killGroup(_ worker: WorkerID, _ live: LiveInstance, _ stop: inout Stop) {
        actions.append(.killGroup(worker, live.id))
        stop.isKilled = true
        stop.deadline = now + stop.killGrace
    }

    /// The main process has ended: whatever is left of its group goes as well, before anything new is started.
    mutating func cleanUpGroup(_ worker: WorkerID, _ live: LiveInstance, _ stop: Stop, _ status: ExitStatus) {
        var live = live
        var stop = stop
        live.watchdogDeadline = nil
        live.suspendCheckpoints()
        live.stableAt = nil
        stop.exit = status
        stop.endedAt = now
        workers[worker].lastExit = status
        // One kill is enough, and its grace runs once: a stop has to end within the sum of its graces.
        if !stop.isKilled { killGroup(worker, live, &stop) }
        enter(worker, .stopping(live, stop))
    }

    /// Nothing of the instance is left.
    mutating func finishStop(
        _ worker: WorkerID, _ live: LiveInstance, _ stop: Stop, spawnFailure: SpawnFailure? = nil
    ) {
        let parent = workers[worker].parent
        let status = stop.exit ?? .unknown
        let exit: ExitStatus? = spawnFailure == nil ? status : nil
        let endedAt = stop.endedAt ?? now
        let cause: FailureCause =
            if case .failure(let cause) = stop.purpose {
                cause
            } else {
                spawnFailure.map(FailureCause.spawnFailed) ?? .exited(status)
            }
        if stop.purpose == .requested {
            workers[worker].lastFailure = nil
            if workers[worker].isWanted { lineUp(worker) } else { enter(worker, .stopped) }
        } else if stop.isRequestedToo {
            endedBeforeRequest(worker, live, cause, exit: exit, endedAt: endedAt)
        } else {
            ended(worker, live, cause, exit: exit, endedAt: endedAt)
        }
        if departing.contains(worker) { forget(worker) }
        if let parent { settle(parent) }
    }
}
