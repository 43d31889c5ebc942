import MonotonicTime
import Supervision

extension Observer {
    /// Checks one action against the account and enters it.
    func follow(_ action: Action, at index: Int, status: TreeStatus) {
        require(!isComplete || isReport(action), .shutdownFinal, "\(action) after the shutdown was complete")
        switch action {
        case .spawn(let worker, let instance): followSpawn(worker, instance, status: status)
        case .signalGroup(let worker, let instance, let signal):
            guard let (worker, instance) = target(worker, instance, of: action) else { return }
            if signal == .continue {
                owedContinues.remove(instance.id)
            } else {
                require(
                    !instance.isFrozen, .continueAfterSignal,
                    "\(worker.name) got signal \(signal.rawValue) while frozen")
                owedContinues.insert(instance.id)
                followSignal(signal, worker, instance)
            }
        case .killGroup(let worker, let instance):
            guard let (worker, instance) = target(worker, instance, of: action) else { return }
            followKill(worker, instance)
        case .freezeGroup(let worker, let instance):
            guard let (worker, instance) = target(worker, instance, of: action) else { return }
            require(
                !worker.specification.isEssential || worker.reasons.contains(.operator), .essentialNotShed,
                "essential worker \(worker.name) is frozen, but no operator asked for it")
            require(!worker.reasons.isEmpty, .pausedWithReason, "\(worker.name) is frozen without a reason")
            require(
                instance.isUp && !instance.isFrozen, .pausedWithReason,
                "\(worker.name) is frozen although it is not up, or is frozen already")
            instance.isFrozen = true
        case .thawGroup(let worker, let instance):
            guard let (worker, instance) = target(worker, instance, of: action) else { return }
            require(
                instance.isFrozen || event == .resumed, .pausedWithReason,
                "\(worker.name) is thawed, but it was not frozen")
            owedThaws.remove(instance.id)
            instance.isFrozen = false
        case .abandonGroup(let worker, let instance):
            guard let (worker, instance) = target(worker, instance, of: action) else { return }
            followAbandon(worker, instance)
        case .forgetWorker(let worker): followForget(worker)
        case .report(let report): follow(report, at: index)
        case .completeShutdown:
            require(isShuttingDown, .shutdownFinal, "completeShutdown without a request")
            for worker in roster where worker.instance != nil {
                fail(.shutdownFinal, "completeShutdown although \(worker.name) has a live process")
            }
            isComplete = true
        }
    }

    private func isReport(_ action: Action) -> Bool {
        if case .report = action { true } else { false }
    }

    private func target(_ id: WorkerID, _ instance: InstanceID, of action: Action) -> (WorkerModel, InstanceModel)? {
        if let found = live(id, instance) { return found }
        fail(.liveTarget, "\(action) names no live process")
        return nil
    }

    private func followAbandon(_ worker: WorkerModel, _ instance: InstanceModel) {
        require(
            instance.ending == .killed, .groupReaped, "\(worker.name) is abandoned without having been killed")
        require(
            instance.stageDue.map { $0.earliest <= now } ?? false, .groupReaped,
            "\(worker.name) is abandoned before its kill had the time that killGrace gives")
        abandoned.insert(instance.id)
        noteGone(worker, instance)
    }

    private func followForget(_ id: WorkerID) {
        guard let worker = workers[id], !worker.isForgotten else {
            return fail(.reloadApplied, "a worker that is not there is forgotten")
        }
        require(worker.isRemoved || isShuttingDown, .reloadApplied, "\(worker.name) is forgotten, but still configured")
        require(worker.instance == nil, .reloadApplied, "\(worker.name) is forgotten while its process lives")
        worker.isForgotten = true
    }

    /// What an event may leave open within its own actions, but not beyond.
    func checkDebts() {
        for instance in owedContinues {
            fail(
                .continueAfterSignal, "instance \(instance.rawValue) got a terminating signal, but no SIGCONT after it")
        }
        owedContinues.removeAll(keepingCapacity: true)
        for instance in owedThaws {
            fail(.pausedWithReason, "instance \(instance.rawValue) may still be frozen, and is not thawed")
        }
        owedThaws.removeAll(keepingCapacity: true)
        for worker in roster {
            require(worker.unreported == nil, .statusConsistent, "the failure of \(worker.name) is not reported")
            guard let instance = worker.instance else { continue }
            require(
                !instance.isStrikeOwed || instance.ending != .none, .livenessClock,
                "\(worker.name) is unhealthy, and nothing was done")
            instance.isStrikeOwed = false
            if instance.exitedAt != nil, instance.ending != .killed {
                fail(.groupReaped, "\(worker.name) exited, but the rest of its group is not killed")
            }
        }
    }

    // MARK: Reports

    private func follow(_ report: Report, at index: Int) {
        noteReportedStop(report)
        switch report {
        case .workerFailed(let worker, let instance, let cause, _, _, let consequence):
            followFailure(worker, instance, cause, consequence, at: index)
        case .intensityExceeded(let supervisor, _, let reaction): followExceeded(supervisor, reaction)
        case .groupRestarted(let supervisor, let because):
            guard let model = supervisors[supervisor] else { return }
            for other in supervisorOrder where other.parent === model && other.name != because {
                other.isEscalationCertain = false
            }
            require(
                model.specification.strategy != .oneForOne, .explainedStop,
                "\(supervisor) restarts a group although it is one-for-one")
        case .supervisorRetried(let supervisor):
            guard let model = supervisors[supervisor] else { return }
            model.restarts = []
            model.hasEscalated = false
            if let parent = model.parent { uncertainRestarts(of: parent) { $0 == supervisor } }
            for worker in order[model.places] { worker.hasOtherCause = true }
        case .workerChanged(let worker, let from, let to): followChange(of: worker, from: from, to: to)
        case .workerRecovered, .groupAbandoned, .reloaded: break
        }
    }

    private func followFailure(
        _ id: WorkerID, _ instance: InstanceID, _ cause: FailureCause, _ consequence: Consequence, at index: Int
    ) {
        guard let worker = workers[id] else { return }
        if let expected = worker.unreported ?? worker.reportable {
            require(
                expected.instance == instance && expected.causes.contains(cause), .statusConsistent,
                "\(worker.name) is reported to have failed (\(cause)), but it was \(expected.causes)")
        } else {
            fail(.statusConsistent, "\(worker.name) is reported to have failed (\(cause)), but it did not")
        }
        worker.unreported = nil
        worker.reportable = nil
        checkWait(consequence, worker)
    }

    private func checkWait(_ consequence: Consequence, _ worker: WorkerModel) {
        switch consequence {
        case .restartAfter(let wait):
            require(
                worker.waits.contains(wait), .restartPolicy,
                "\(worker.name) waits \(wait) after \(worker.failuresLow)...\(worker.failuresHigh) failures, not "
                    + "\(worker.waits)")
        case .restartedAtOnce:
            require(
                worker.waits.lowerBound <= .zero, .restartPolicy,
                "\(worker.name) restarts at once after \(worker.failuresLow) failures")
        case .restartedWithGroup, .held, .gaveUp, .supervisorParked, .supervisorEscalated, .leftDown: break
        }
    }
}
