import MonotonicTime
import Supervision

extension Observer {
    func followSignal(_ signal: Signal, _ worker: WorkerModel, _ instance: InstanceModel) {
        require(instance.exitedAt == nil, .boundedStop, "\(worker.name) is signalled after its end")
        switch instance.ending {
        case .none:
            checkBeginningAgain(signal, worker, instance)
            instance.firstSignal = instance.firstSignal ?? signal
            if let cause = repeatedStrike(signal, instance) ?? strikeCause(signal, worker, instance) {
                instance.strike = cause
                instance.ending = .struck
                instance.isAmbiguous = instance.isAmbiguous || stoppingScope(of: worker) != nil
                instance.stageDue = instance.due(after: now) { $0.stopPlan.steps.first?.grace ?? .zero }
            } else {
                checkBeginning(of: worker, instance)
                enter(step: 0, signal, worker, instance)
            }
            settleStability(of: worker, instance)
            instance.stopClocks()
            instance.announcedStop = nil
        case .struck:
            // A request may replace the short way by the plan, and what is taken for a strike may have been the plan.
            require(
                instance.isToBeStopped || instance.isAmbiguous || stoppingScope(of: worker) != nil, .boundedStop,
                "\(worker.name) is signalled again after its strike")
            let isSecondStep = instance.specifications.contains {
                $0.stopPlan.steps.count > 1 && $0.stopPlan.steps[1].signal == signal
            }
            enter(step: instance.isAmbiguous && isSecondStep ? 1 : 0, signal, worker, instance)
        case .step(let step):
            require(
                instance.stageDue.map { $0.earliest <= now } ?? true, .boundedStop,
                "\(worker.name) gets its next signal before the grace of the last one is over")
            enter(step: step + 1, signal, worker, instance)
        case .killed: fail(.boundedStop, "\(worker.name) is signalled after its kill")
        }
    }

    private func enter(step: Int, _ signal: Signal, _ worker: WorkerModel, _ instance: InstanceModel) {
        let plans = instance.specifications.map(\.stopPlan.steps)
        require(
            plans.contains { step < $0.count && $0[step].signal == signal }, .boundedStop,
            "\(worker.name) got signal \(signal.rawValue), which is not step \(step + 1) of its stop plan")
        instance.ending = .step(step)
        instance.stageDue = instance.due(after: now) {
            step < $0.stopPlan.steps.count ? $0.stopPlan.steps[step].grace : .zero
        }
    }

    func followKill(_ worker: WorkerModel, _ instance: InstanceModel) {
        require(instance.ending != .killed, .boundedStop, "\(worker.name) is killed twice")
        if instance.exitedAt == nil { checkKill(worker, instance) }
        if case .step = instance.ending { instance.wasKilledOnRequest = true }
        settleStability(of: worker, instance)
        instance.ending = .killed
        instance.isFrozen = false
        instance.stopClocks()
        instance.announcedStop = nil
        instance.stageDue = instance.due(after: now) { $0.stopPlan.killGrace }
    }

    private func checkKill(_ worker: WorkerModel, _ instance: InstanceModel) {
        switch instance.ending {
        case .none:
            checkBeginningAgain(nil, worker, instance)
            checkKillAtOnce(worker, instance)
        case .struck:
            require(
                instance.stageDue.map { $0.earliest <= now } ?? true, .boundedStop,
                "\(worker.name) is killed before its grace after a strike is over")
        case .step(let step):
            require(
                instance.specifications.contains { step + 1 >= $0.stopPlan.steps.count }, .boundedStop,
                "\(worker.name) is killed before the last step of its stop plan")
            require(
                instance.stageDue.map { $0.earliest <= now } ?? true, .boundedStop,
                "\(worker.name) is killed before its grace is over")
        case .killed: break
        }
    }

    /// Right for a plan without signals, and for a process that announced its own end and does not come to it.
    private func checkKillAtOnce(_ worker: WorkerModel, _ instance: InstanceModel) {
        if hasOutstayed(instance), !instance.isToBeStopped || instance.isAwaitedAgain {
            instance.isAmbiguous = instance.isAmbiguous || stoppingScope(of: worker) != nil
            return
        }
        if let cause = repeatedStrike(nil, instance) {
            instance.strike = cause
            return
        }
        if instance.specifications.contains(where: { $0.watchdogSignal == .kill }),
            let cause = strikeCause(nil, worker, instance)
        {
            instance.strike = cause
            instance.isAmbiguous = stoppingScope(of: worker) != nil
            return
        }
        require(
            instance.specifications.contains { $0.stopPlan.steps.isEmpty }, .boundedStop,
            "\(worker.name) is killed without the signals of its stop plan")
        if let cause = strikeCause(nil, worker, instance) {
            instance.strike = cause
            // Its group may have been about to stop as well; the two cannot be told apart.
            instance.isAmbiguous = stoppingScope(of: worker) != nil
        } else {
            checkBeginning(of: worker, instance)
            // Also if it is killed again by the next supervisor, under which nothing asks for it any more.
            let isAsked = instance.isToBeStopped || stoppingScope(of: worker) != nil
            instance.wasKilledOnRequest = instance.wasKilledOnRequest || isAsked
        }
    }

    private func hasOutstayed(_ instance: InstanceModel) -> Bool {
        [instance.announcedStop, instance.formerAnnouncedStop].contains { $0.map { $0.earliest <= now } ?? false }
    }

    /// What makes this signal a strike against a process that the supervisor finds hung; a kill has no signal.
    private func strikeCause(_ signal: Signal?, _ worker: WorkerModel, _ instance: InstanceModel) -> FailureCause? {
        guard signal == nil || instance.specifications.contains(where: { $0.watchdogSignal == signal }) else {
            return nil
        }
        func isDue(_ clocks: Due?...) -> Bool { clocks.contains { $0.map { $0.earliest <= now } ?? false } }
        if event == .notified(worker.id, instance.id, .watchdogTriggered) { return .watchdogTriggered }
        if case .notified(worker.id, instance.id, .unhealthy(let reason)) = event, isJudged(worker, instance) {
            return .unhealthy(reason)
        }
        if instance.isToBeStopped { return nil }
        var causes: [FailureCause] = []
        if isDue(instance.watchdog, instance.formerWatchdog) { causes.append(.watchdogTimedOut) }
        for name in instance.knownCheckpoints.sorted()
        where isDue(instance.checkpoints[name], instance.formerCheckpoints[name]) {
            causes.append(.checkpointMissed(name, within: worker.specification.checkpoints[name] ?? .zero))
        }
        if isDue(instance.startTimeout, instance.formerStartTimeout) { causes.append(.startTimedOut) }
        instance.otherStrikes = Array(causes.dropFirst())
        return causes.first
    }

    /// The first act against a process that has not failed: it was asked for, or a group stops in reverse order.
    private func checkBeginning(of worker: WorkerModel, _ instance: InstanceModel) {
        if instance.isToBeStopped || instance.formerEnding != .none { return }
        if hasOutstayed(instance) { return }
        let scopes = worker.chain.filter { $0.stoppingSince != nil }
        guard !scopes.isEmpty else { return fail(.explainedStop, "\(worker.name) is stopped for no reason") }
        // A supervisor whose turn has not come yet may still restart a group of its own: one good cause is enough.
        let objections = scopes.map { objection(to: $0, stopping: worker) }
        if let objection = objections.first, let objection, !objections.contains(where: { $0 == nil }) {
            fail(objection.invariant, objection.explanation)
        }
    }

    private func objection(to scope: SupervisorModel, stopping worker: WorkerModel) -> Violation? {
        guard isShuttingDown || worker.position >= scope.concernedFrom else {
            return Violation(
                invariant: .explainedStop,
                explanation: "\(worker.name) is stopped with the group of \(scope.name), which it comes before")
        }
        if scope.hasMovedChildren { return nil }
        let successors = order[scope.places].suffix(from: max(scope.places.lowerBound, worker.position + 1))
        guard
            let other = successors.first(where: {
                // One that a reload moved here is no part of a stop that was under way.
                $0.instance != nil && $0.movedInStep < scope.stoppingSince ?? 0
            })
        else { return nil }
        return Violation(
            invariant: .stopOrder,
            explanation: "\(worker.name) is stopped with the group of \(scope.name) while \(other.name), which comes "
                + "after it, is not down")
    }

    /// The supervisor above the worker that was the first to stop its children.
    func stoppingScope(of worker: WorkerModel) -> SupervisorModel? {
        worker.chain.filter { $0.stoppingSince != nil }
            .min { ($0.stoppingSince ?? 0, $0.places.lowerBound) < ($1.stoppingSince ?? 0, $1.places.lowerBound) }
    }
}
