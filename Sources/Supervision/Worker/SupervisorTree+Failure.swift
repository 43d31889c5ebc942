import MonotonicTime

/// What follows when a worker has ended without having been asked to.
extension SupervisorTree {
    /// The instance is gone: finish, restart at once, back off, hold, give up, or leave it down.
    mutating func ended(
        _ worker: WorkerID, _ live: LiveInstance, _ cause: FailureCause, exit: ExitStatus?, endedAt: MonotonicInstant
    ) {
        let ranFor = live.spawnedAt.duration(to: endedAt)
        func failed(_ consequence: Consequence) -> Report {
            .workerFailed(worker, live.id, cause, exit: exit, ranFor: ranFor, consequence: consequence)
        }
        let node = workers[worker]
        workers[worker].lastFailure = cause
        guard node.isWanted, let parent = node.parent, shutdown == .none else {
            enter(worker, .stopped)
            return report(failed(.leftDown))
        }
        let isSuccess = cause == .exited(.exited(code: 0))
        guard node.specification.restart == .always || (node.specification.restart == .onFailure && !isSuccess) else {
            enter(worker, isSuccess ? .finished : .failed(retryAt: nil))
            guard !isSuccess else { return }
            return report(failed(.leftDown))
        }
        workers[worker].brokenSince = node.brokenSince ?? endedAt
        // The supervisor is taking it down already: its end is part of that.
        if !admitsStarts(parent) || supervisors[parent].isInStopScope(.worker(worker)) {
            lineUp(worker)
            return report(failed(admitsStarts(parent) ? .restartedWithGroup : .leftDown))
        }
        workers[worker].failures += 1
        workers[worker].owesRestart = true
        let consequence = arrangeRestart(worker, in: parent)
        report(failed(consequence))
        proceed(worker, in: parent, consequence)
    }

    /// It failed, and a stop was requested before its group was gone: the failure is told, the request decides.
    mutating func endedBeforeRequest(
        _ worker: WorkerID, _ live: LiveInstance, _ cause: FailureCause, exit: ExitStatus?, endedAt: MonotonicInstant
    ) {
        workers[worker].lastFailure = cause
        let isWanted = workers[worker].isWanted
        if isWanted { lineUp(worker) } else { enter(worker, .stopped) }
        let isFinish = cause == .exited(.exited(code: 0)) && workers[worker].specification.restart != .always
        guard !isFinish else { return }
        let isWithGroup = workers[worker].parent.map { supervisors[$0].isInStopScope(.worker(worker)) } ?? false
        let ranFor = live.spawnedAt.duration(to: endedAt)
        let consequence: Consequence = isWithGroup ? .restartedWithGroup : isWanted ? .restartedAtOnce : .leftDown
        report(.workerFailed(worker, live.id, cause, exit: exit, ranFor: ranFor, consequence: consequence))
    }

    /// Decides on the consequence and puts the worker into the phase for it.
    private mutating func arrangeRestart(_ worker: WorkerID, in parent: SupervisorID) -> Consequence {
        let specification = workers[worker].specification
        if let maximum = specification.attempts.maximum, workers[worker].failures > maximum {
            let retryAfter = specification.attempts.retryAfterGivingUp
            enter(worker, .failed(retryAt: retryAfter.map { now + $0 }))
            return .gaveUp(retryAfter: retryAfter)
        }
        let wait = backoff(after: workers[worker].failures, specification.backoff)
        workers[worker].notBefore = now + wait
        if !workers[worker].pauseReasons.isEmpty {
            enter(worker, .held)
            return .held
        }
        enter(worker, .backingOff(until: now + wait))
        if wait == .zero, wouldExceedIntensity(restarting: .worker(worker), in: parent) {
            return Consequence(refusedBy: supervisors[parent].intensity.scope, reaction(of: parent))
        }
        if isGroupAffected(by: worker, in: parent) { return .restartedWithGroup }
        return wait == .zero ? .restartedAtOnce : .restartAfter(wait)
    }

    private mutating func proceed(_ worker: WorkerID, in parent: SupervisorID, _ consequence: Consequence) {
        switch consequence {
        case .restartedAtOnce, .gaveUp, .supervisorParked, .supervisorEscalated:
            if case .backingOff = workers[worker].phase { spawn(worker) }
        case .restartedWithGroup:
            restartGroup(of: .worker(worker), named: workers[worker].specification.name, in: parent)
        case .restartAfter, .held, .leftDown:
            break
        }
    }

    private func isGroupAffected(by worker: WorkerID, in parent: SupervisorID) -> Bool {
        switch supervisors[parent].strategy {
        case .oneForOne: false
        case .oneForAll: supervisors[parent].entries.count > 1
        case .restForOne: supervisors[parent].entries.last?.child != .worker(worker)
        }
    }

    /// The first restart comes at once; from the second on the wait doubles.
    private mutating func backoff(after failures: Int, _ backoff: Backoff) -> Duration {
        guard failures > 1 else { return .zero }
        var wait = backoff.initial
        for _ in 2..<max(failures, 2) where wait < backoff.maximum { wait = wait * 2 }
        wait = min(wait, backoff.maximum)
        return wait * (1 - backoff.jitter * jitter.fraction())
    }
}
