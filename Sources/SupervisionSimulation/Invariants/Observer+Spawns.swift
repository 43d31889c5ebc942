import MonotonicTime
import Supervision

extension Observer {
    func followSpawn(_ id: WorkerID, _ instanceID: InstanceID, status: TreeStatus) {
        guard let worker = workers[id], !worker.isForgotten else {
            return fail(.liveTarget, "a worker that is not there is spawned")
        }
        require(!isShuttingDown, .shutdownFinal, "\(worker.name) is spawned after the shutdown request")
        require(
            knownInstances.insert(instanceID).inserted, .singleInstance,
            "instance \(instanceID.rawValue) of \(worker.name) is not fresh")
        require(
            worker.instance == nil, .singleInstance,
            "\(worker.name) is spawned while its former process is not gone")
        require(isStarted, .startOrder, "\(worker.name) is spawned before the start")
        require(worker.isWanted, .restartPolicy, "\(worker.name) is spawned, but nobody wants it")
        require(
            worker.reasons.isEmpty, .pausedWithReason,
            "\(worker.name) is spawned although \(worker.reasons.sorted()) holds")
        checkSupervisorsUp(worker, status)
        if !isOwnStart(worker) {
            checkStartOrder(worker)
            checkGate(worker)
        }
        if !worker.hasOtherCause { checkOwnRestart(worker) }
        countRestart(worker)
        enterSpawn(worker, instanceID)
    }

    private func enterSpawn(_ worker: WorkerModel, _ id: InstanceID) {
        let instance = InstanceModel(id: id, orderedAt: now, specification: worker.specification)
        instance.orderedInStep = step
        instance.startTimeout = instance.due(after: now) { $0.startTimeout }
        worker.instance = instance
        worker.goneAt = nil
        worker.hasOtherCause = false
        worker.isOnRequest = false
        worker.isRetryDue = false
        worker.parkedAlone = false
    }

    private func checkSupervisorsUp(_ worker: WorkerModel, _ status: TreeStatus) {
        for supervisor in worker.chain {
            guard let shown = status.supervisors.first(where: { $0.name == supervisor.name }) else { continue }
            // A supervisor further up stops its children one by one; those whose turn has not come go on.
            guard supervisor === worker.supervisor else { continue }
            require(
                shown.state == .up || shown.state == .stopping, .explainedStop,
                "\(worker.name) is spawned while \(supervisor.name) is \(shown.state)")
            let hasReported = supervisor.reportedStopInStep == step
            let concernedFrom = supervisor.concernedSoFar
            guard let since = supervisor.stoppingSince, since < step || hasReported, !supervisor.isConcernUnknown,
                worker.position >= concernedFrom
            else { continue }
            // What was ordered in this very step belongs to the start that follows the stop.
            let leftover = order[supervisor.places].first {
                guard $0.position >= concernedFrom, let instance = $0.instance else { return false }
                guard instance.orderedInStep < step, $0.movedInStep < since,
                    $0.supervisor === supervisor || $0.supervisor?.shown?.state != .down
                else { return false }
                return (instance.ending != .none || instance.exitedAt != nil)
            }
            if let leftover {
                fail(
                    .stopOrder,
                    "\(worker.name) is spawned while \(supervisor.name) stops its group, in which "
                        + "\(leftover.name) is not down yet")
            }
        }
    }

    /// A worker's own restart, or a start on request: neither order nor gates apply.
    private func isOwnStart(_ worker: WorkerModel) -> Bool {
        if worker.isOnRequest || worker.isRetryDue { return true }
        return worker.reportedState == .backingOff || worker.reportedState == .failed
    }

    /// Those that start in sequence do so in tree order.
    private func checkStartOrder(_ worker: WorkerModel) {
        // Several sequences may go on in one step; each is in order.
        let isOneSequence =
            switch event {
            case .deadlineReached: false
            case .reloaded, .resumed: worker.supervisor === lastSequenceSupervisor
            default: true
            }
        require(
            worker.position > lastSequencePlace || !isOneSequence, .startOrder,
            "\(worker.name) is started after a worker that comes later")
        lastSequencePlace = worker.position
        lastSequenceSupervisor = worker.supervisor
        guard let supervisor = worker.supervisor else { return }
        for other in order[supervisor.places.lowerBound..<worker.position]
        where other.supervisor === supervisor && other.reportedState == .waiting {
            fail(.startOrder, "\(worker.name) is started while \(other.name), which comes before it, still waits")
        }
    }

    private func checkGate(_ worker: WorkerModel) {
        guard worker.specification.startGate == .previousReady, let supervisor = worker.supervisor else { return }
        for other in order[supervisor.places.lowerBound..<worker.position] where other.isWanted {
            if let instance = other.instance, instance.isReady, instance.ending == .none { continue }
            if other.reportedState == .finished { continue }
            fail(.startGate, "\(worker.name) is started although \(other.name) before it is not ready")
        }
    }

    /// The worker failed and nothing else has touched it: policy, back-off and attempts alone bring it back.
    private func checkOwnRestart(_ worker: WorkerModel) {
        let specification = worker.specification
        switch worker.lastEnd {
        case .none, .asked: break
        case .left: fail(.restartPolicy, "\(worker.name) is restarted against its policy")
        case .failed:
            let waited = worker.failedAt.duration(to: now)
            if let maximum = specification.attempts.maximum, worker.failuresLow > maximum {
                guard let retry = specification.attempts.retryAfterGivingUp else {
                    return fail(.restartPolicy, "\(worker.name) is tried again although it was given up for good")
                }
                require(waited >= retry, .restartPolicy, "\(worker.name) was given up, and tried again too early")
            } else if !worker.parkedAlone {
                require(
                    waited >= worker.waits.lowerBound, .restartPolicy,
                    "\(worker.name) is restarted after \(waited), its back-off is \(worker.waits)")
            }
        }
    }

    // MARK: Restart intensity

    private func countRestart(_ worker: WorkerModel) {
        guard case .failed = worker.lastEnd, let supervisor = worker.supervisor else { return }
        let isRetry = worker.shown?.state == .failed
        if isRetry { uncertainRestarts(of: supervisor) { $0 == worker.name } }
        let isCertain = !worker.hasOtherCause && !isRetry && !worker.parkedAlone
        worker.restarts = worker.restarts.lowerBound + (isCertain ? 1 : 0)...worker.restarts.upperBound + 1
        enterRestart(of: worker.name, in: supervisor, isCertain: isCertain)
        worker.lastEnd = .none
    }

    private func enterRestart(of child: String, in supervisor: SupervisorModel, isCertain: Bool) {
        supervisor.restarts.append(SupervisorModel.Restart(at: now, child: child, isCertain: isCertain))
        let perChild = supervisor.intensity.scope == .perChild
        let made = supervisor.restartsInWindow(at: now, of: perChild ? child : nil).lowerBound
        require(
            made <= supervisor.intensity.maxRestarts, .restartIntensity,
            "\(supervisor.name) made \(made) restarts within \(supervisor.intensity.within), "
                + "\(supervisor.intensity.maxRestarts) are allowed")
        if supervisor.restarts.count > 64 { supervisor.restarts.removeFirst(32) }
    }

    func followExceeded(_ name: String, _ reaction: IntensityReaction) {
        guard let supervisor = supervisors[name] else { return }
        let allowed = supervisor.intensity.maxRestarts
        let isExceeded: Bool
        if supervisor.intensity.scope == .perChild {
            var children = Set(supervisor.restarts.map(\.child))
            children.insert("")
            isExceeded = children.contains {
                supervisor.restartsInWindow(at: now, of: $0).upperBound >= allowed
            }
            for worker in order where worker.supervisor === supervisor && worker.instance == nil {
                worker.parkedAlone = true
            }
            for child in children where supervisor.restartsInWindow(at: now, of: child).upperBound >= allowed {
                uncertainRestarts(of: supervisor) { $0 == child }
            }
        } else {
            // Those that came up again in this very step are not counted yet.
            let justRestarted = supervisorOrder.count { $0.parent === supervisor && $0.hasEscalated }
            isExceeded = supervisor.restartsInWindow(at: now, of: nil).upperBound + justRestarted >= allowed
            require(
                reaction == supervisor.specification.onIntensityExceeded, .restartIntensity,
                "\(name) reacts with \(reaction) instead of \(supervisor.specification.onIntensityExceeded)")
            for worker in order[supervisor.places] { worker.hasOtherCause = true }
            for other in supervisorOrder where other.ancestors.contains(where: { $0 === supervisor }) {
                other.isEscalationCertain = false
            }
        }
        require(
            isExceeded, .restartIntensity,
            "\(name) says that its restart intensity is exceeded, but only "
                + "\(supervisor.restartsInWindow(at: now, of: nil).upperBound) restarts fall into the window")
        if reaction == .escalate {
            supervisor.hasEscalated = true
            supervisor.isEscalationCertain = supervisor.ancestors.allSatisfy { $0.stoppingSince == nil }
            uncertainRestarts(of: supervisor) { _ in true }
        }
    }

    /// A supervisor that escalated and is up again was restarted by its parent, whose window that counts in.
    func countSupervisorRestarts(_ status: TreeStatus) {
        for supervisor in supervisorOrder where supervisor.hasEscalated {
            guard let shown = status.supervisors.first(where: { $0.name == supervisor.name }) else { continue }
            guard shown.state == .up else { continue }
            supervisor.hasEscalated = false
            guard let parent = supervisor.parent else { continue }
            enterRestart(
                of: supervisor.name, in: parent,
                isCertain: supervisor.isEscalationCertain && parent.stoppingSince == nil)
        }
    }
}
