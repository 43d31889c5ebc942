import MonotonicTime
import Supervision

/// How the account carries over to the next supervisor, whose tree knows the same workers by other identities.
extension Observer {
    /// Compares what the next supervisor has read with what the one before had shown; returns the first violation.
    package func follow(_ handover: Handover) -> Violation? {
        for worker in roster {
            if let instance = worker.instance { suspendClocks(of: instance) }
        }
        compare(handover)
        rename(handover)
        successor = handover.specification
        now = handover.now
        remember(handover.status)
        return violation
    }

    /// Whatever happened to the supervisor, these are the processes that there are.
    package func check(_ sightings: [ProcessSighting]) -> Violation? {
        var seen: Set<String> = []
        for sighting in sightings where !abandoned.contains(sighting.instance) {
            require(
                seen.insert(sighting.worker).inserted, .singleInstance,
                "two processes of \(sighting.worker) are alive")
            guard let worker = roster.first(where: { $0.instance?.id == sighting.instance }) else {
                fail(
                    .groupReaped,
                    "process \(sighting.instance.rawValue) of \(sighting.worker) is alive, and nobody looks after it")
                continue
            }
            guard let instance = worker.instance, !sighting.isEnding else { continue }
            require(
                sighting.isFrozen == instance.isFrozen, .pausedWithReason,
                "\(worker.name) \(sighting.isFrozen ? "stands still" : "runs"), which nobody wanted")
        }
        return violation
    }

    /// What ran before the death is over; nobody looked at the clock in the gap.
    private func suspendClocks(of instance: InstanceModel) {
        guard instance.isUp, let worker = roster.first(where: { $0.instance === instance }) else { return }
        settleStability(of: worker, instance)
        if let since = instance.stableSince { instance.earlierReadyTime += since.duration(to: now) }
        instance.stopClocks()
    }

    private func compare(_ handover: Handover) {
        let isUnchanged = handover.specification == specification
        for shown in handover.status.workers {
            guard let worker = current(shown.name), !worker.isRemoved, let before = worker.shown else { continue }
            func check<Value: Equatable>(_ what: String, _ value: (WorkerStatus) -> Value) {
                require(
                    value(before) == value(shown), .recordKept,
                    "\(what) of \(shown.name) was \(value(before)), and is restored as \(value(shown))")
            }
            check("the state") { $0.state }
            check("the instance") { $0.instance }
            check("the start") { $0.startedAt }
            check("the number of restarts") { $0.restarts }
            check("the last failure") { $0.lastFailure }
            check("the last exit") { $0.lastExit }
            guard isUnchanged else { continue }
            check("the pause") { $0.pauseReasons }
            check("the next try") { $0.nextAttempt }
            check("the number of attempts left") { $0.attemptsLeft }
        }
        for shown in handover.status.supervisors {
            guard let before = supervisors[shown.name]?.shown else { continue }
            require(
                shown.state == before.state && shown.nextAttempt == before.nextAttempt, .recordKept,
                "\(shown.name) was \(before.state), and is restored as \(shown.state)")
        }
    }

    private func current(_ name: String) -> WorkerModel? {
        roster.first { $0.name == name && !$0.isForgotten }
    }

    /// The identities of the new tree. Who is in it no more, and has no process, is forgotten.
    private func rename(_ handover: Handover) {
        var renamed: [WorkerID: WorkerModel] = [:]
        var identities: [String: WorkerID] = [:]
        for shown in handover.status.workers { identities[shown.name] = shown.id }
        for worker in roster where !worker.isForgotten {
            let owner = worker.instance.flatMap { handover.owners[$0.id] }
            if let id = identities[worker.name] ?? owner {
                worker.id = id
                renamed[id] = worker
            } else {
                require(
                    worker.instance == nil, .groupReaped,
                    "\(worker.name) has a process, and the next supervisor knows nothing of it")
                worker.id = WorkerID(rawValue: -1)
                worker.isWanted = false
                worker.isRemoved = true
                worker.isForgotten = true
            }
        }
        workers = renamed
    }

    /// The next supervisor begins.
    func noteResumed(_ status: TreeStatus) {
        isStarted = true
        // A shutdown was under way: whoever is down, or goes down before it comes up again, forgets its window, and an
        // escalation is absorbed by that.
        if isShuttingDown { for supervisor in supervisorOrder { forgetAccounts(below: supervisor) } }
        isShuttingDown = false
        isComplete = false
        for worker in roster {
            if let instance = worker.instance { resume(worker, instance) }
        }
        if let successor, successor != specification { learn(successor, from: status) }
        successor = nil
    }

    private func resume(_ worker: WorkerModel, _ instance: InstanceModel) {
        // Nobody knows whether the last freeze or thaw was carried out: it has to be ordered again.
        instance.isFrozen = false
        instance.formerEnding = instance.ending
        instance.ending = .none
        instance.stageDue = nil
        guard instance.exitedAt == nil else { return }
        let hasOutstayed =
            instance.formerEnding == .killed && instance.hasAnnouncedStop && instance.strike == nil
            && !instance.wasKilledOnRequest
        if instance.announcedStop != nil || hasOutstayed {
            instance.formerEnding = .none
            instance.isAwaitedAgain = hasOutstayed
            return noteAnnouncement(worker, instance)
        }
        guard instance.formerEnding == .none else { return }
        if instance.spawnedAt == nil {
            instance.startTimeout = startDue(instance)
            if !worker.reasons.isEmpty { instance.startTimeout?.latest = Due.never }
        } else if worker.reasons.isEmpty {
            owedThaws.insert(instance.id)
            resumeClocks(of: worker)
        }
    }

    /// It was never let go: no failure, and its start, whose turn it had been, is made up for.
    func noteInterrupted(_ worker: WorkerModel, _ instance: InstanceModel) {
        worker.isRetryDue = worker.reportedState == .starting
        worker.instance = nil
        worker.goneAt = now
        worker.lastEnd = .asked
        worker.hasOtherCause = true
    }

    /// A stop begins again as it began (`nil` for a kill), whatever has become of the worker's plan since.
    func checkBeginningAgain(_ signal: Signal?, _ worker: WorkerModel, _ instance: InstanceModel) {
        guard instance.formerEnding != .none, let first = instance.firstSignal else { return }
        require(
            signal == first, .boundedStop,
            "the stop of \(worker.name) began with signal \(first.rawValue), and begins again with "
                + "\(signal.map { "signal \($0.rawValue)" } ?? "a kill")")
    }

    /// The failure for which the supervisor before had begun to end the process, if that is what this signal (`nil` for a
    /// kill) goes on with.
    func repeatedStrike(_ signal: Signal?, _ instance: InstanceModel) -> FailureCause? {
        guard instance.formerEnding != .none, let strike = instance.strike else { return nil }
        let isFitting = instance.specifications.contains {
            $0.watchdogSignal == signal ?? .kill || (signal == nil && $0.stopPlan.steps.isEmpty)
        }
        return isFitting ? strike : nil
    }
}
