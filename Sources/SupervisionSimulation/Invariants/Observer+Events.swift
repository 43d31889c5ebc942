import MonotonicTime
import Supervision

extension Observer {
    /// Whether the event speaks of nothing that is there, so that it must change nothing.
    func isWithoutMeaning(_ event: Event) -> Bool {
        switch event {
        case .started: isStarted
        case .shutdownRequested: isShuttingDown
        case .spawned(let worker, let instance), .spawnFailed(let worker, let instance, _):
            live(worker, instance).map { $0.1.spawnedAt != nil } ?? true
        case .exited(let worker, let instance, _):
            live(worker, instance).map { $0.1.exitedAt != nil } ?? true
        case .groupEmptied(let worker, let instance): live(worker, instance) == nil
        case .notified(let worker, let instance, _):
            live(worker, instance).map { $0.1.exitedAt != nil || $0.1.ending == .killed } ?? true
        case .deadlineReached: formerDeadline.map { $0 > now } ?? true
        case .operatorRequested(let worker, _), .pauseRequested(let worker, _), .resumeRequested(let worker, _):
            workers[worker].map(\.isForgotten) ?? true
        case .reloaded, .resumed: false
        case .spawnInterrupted(let worker, let instance):
            live(worker, instance).map { $0.1.spawnedAt != nil || $0.1.exitedAt != nil } ?? true
        }
    }

    func checkNothingHappened(_ observation: Observation) {
        // A deadline that has passed may be served on any occasion.
        if let formerDeadline, formerDeadline <= now { return }
        let work = observation.actions.filter { if case .report = $0 { false } else { true } }
        require(work.isEmpty, .strayIgnored, "an event without meaning led to \(work)")
        for shown in observation.status.workers {
            guard let before = workers[shown.id]?.shown else { continue }
            require(
                before.state == shown.state && before.instance == shown.instance
                    && before.pauseReasons == shown.pauseReasons,
                .strayIgnored, "an event without meaning changed \(shown.name) from \(before.state) to \(shown.state)")
        }
    }

    /// Brings the account up to date with what the event says.
    func apply(_ event: Event, status: TreeStatus) {
        switch event {
        case .started: isStarted = true
        case .shutdownRequested: isShuttingDown = true
        case .spawned(let worker, let instance):
            if let (worker, instance) = live(worker, instance) { noteSpawned(worker, instance) }
        case .spawnFailed(let worker, let instance, let failure):
            if let (worker, instance) = live(worker, instance) {
                instance.exitCause = .spawnFailed(failure)
                noteGone(worker, instance)
            }
        case .exited(let worker, let instance, let exit):
            if let (worker, instance) = live(worker, instance) {
                instance.exitedAt = now
                instance.exitCause = .exited(exit)
                settleStability(of: worker, instance)
                instance.stopClocks()
            }
        case .groupEmptied(let worker, let instance):
            if let (worker, instance) = live(worker, instance) { noteGone(worker, instance) }
        case .notified(let worker, let instance, let notification):
            if let (worker, instance) = live(worker, instance) { note(notification, worker, instance) }
        case .deadlineReached: break
        case .operatorRequested(let worker, let request):
            if let worker = workers[worker] { note(request, worker) }
        case .pauseRequested(let worker, let reason):
            if let worker = workers[worker] { notePause(worker, reason) }
        case .resumeRequested(let worker, let reason):
            if let worker = workers[worker] { noteResume(worker, reason) }
        case .reloaded(let specification):
            if !isShuttingDown { learn(specification, from: status) }
        case .resumed: noteResumed(status)
        case .spawnInterrupted(let worker, let instance):
            if let (worker, instance) = live(worker, instance) { noteInterrupted(worker, instance) }
        }
    }

    private func noteSpawned(_ worker: WorkerModel, _ instance: InstanceModel) {
        instance.spawnedAt = now
        guard instance.ending == .none else { return }
        if worker.specification.readiness == .started {
            noteReady(worker, instance)
        } else if worker.reasons.isEmpty, let anew = startDue(instance) {
            instance.startTimeout = instance.startTimeout?.widened(by: anew) ?? anew
        }
        if !worker.reasons.isEmpty { suspendClocks(of: worker, instance) }
    }

    func startDue(_ instance: InstanceModel) -> Due? { instance.due(after: now) { $0.startTimeout } }

    private func noteReady(_ worker: WorkerModel, _ instance: InstanceModel) {
        instance.isReady = true
        instance.formerStartTimeout = instance.startTimeout
        instance.startTimeout = nil
        guard worker.reasons.isEmpty else { return }
        instance.stableSince = now
        instance.watchdog = watchdogDue(instance)
        armCheckpoints(worker, instance)
    }

    /// Each that the process has come past gets a fresh period.
    func armCheckpoints(_ worker: WorkerModel, _ instance: InstanceModel) {
        instance.checkpoints = [:]
        instance.knownCheckpoints.formIntersection(worker.specification.checkpoints.keys)
        for name in instance.knownCheckpoints {
            instance.checkpoints[name] = checkpointDue(name, worker, instance)
        }
    }

    private func checkpointDue(_ name: String, _ worker: WorkerModel, _ instance: InstanceModel) -> Due? {
        var due = worker.specification.checkpoints[name].map { Due(now.advanced(by: $0)) }
        if instance.announcedStop != nil { due?.latest = Due.never }
        return due
    }

    /// When the next ping has to come; after STOPPING=1 it may have to come or not.
    func watchdogDue(_ instance: InstanceModel) -> Due? {
        var due = configuredWatchdogDue(instance)
        if instance.announcedStop != nil { due?.latest = Due.never }
        return due
    }

    private func configuredWatchdogDue(_ instance: InstanceModel) -> Due? {
        let own = instance.ownWatchdogPeriod
        if let own, instance.specifications.contains(where: { $0.watchdog == nil }) {
            let configured = instance.due(after: now) { $0.watchdog }?.earliest ?? Due.never
            return Due(earliest: min(now.advanced(by: own), configured), latest: Due.never)
        }
        if let own, instance.specifications.count == 1 { return Due(now.advanced(by: own)) }
        guard let configured = instance.due(after: now, { $0.watchdog }) else { return nil }
        return own.map { configured.widened(by: Due(now.advanced(by: $0))) } ?? configured
    }

    private func suspendClocks(of worker: WorkerModel, _ instance: InstanceModel) {
        settleStability(of: worker, instance)
        if instance.watchdog != nil { instance.formerWatchdog = instance.watchdog }
        if !instance.checkpoints.isEmpty { instance.formerCheckpoints = instance.checkpoints }
        if instance.startTimeout != nil { instance.formerStartTimeout = instance.startTimeout }
        if let since = instance.stableSince { instance.earlierReadyTime += since.duration(to: now) }
        instance.stopClocks()
    }

    private func note(_ notification: Notification, _ worker: WorkerModel, _ instance: InstanceModel) {
        if case .timeoutExtended(let by) = notification { return extend(instance, by: by) }
        guard instance.ending == .none else { return }
        switch notification {
        case .ready:
            // After STOPPING=1 it is on its way down, whatever it says.
            if !instance.isReady, instance.announcedStop == nil, worker.specification.readiness == .notify {
                noteReady(worker, instance)
            }
        case .watchdogPing:
            if instance.watchdog != nil {
                instance.formerWatchdog = instance.watchdog
                instance.watchdog = watchdogDue(instance)
            }
        case .checkpoint(let name): notePassing(name, worker, instance)
        case .unhealthy: instance.isStrikeOwed = isJudged(worker, instance)
        case .watchdogTriggered: break
        case .watchdogPeriodChanged(let period):
            instance.ownWatchdogPeriod = period
            let anew = Due(now.advanced(by: period))
            instance.formerWatchdog = instance.watchdog
            instance.watchdog = instance.watchdog?.widened(by: anew)
            if instance.isReady, worker.reasons.isEmpty, instance.watchdog == nil {
                instance.watchdog = Due(earliest: anew.earliest, latest: Due.never)
            }
        case .stopping:
            guard instance.announcedStop == nil else { return }
            if instance.isFrozen { instance.announcesStopOnceThawed = true } else { noteAnnouncement(worker, instance) }
        case .reloading, .timeoutExtended: break
        }
    }

    /// Only a worker that runs is judged by its probes.
    func isJudged(_ worker: WorkerModel, _ instance: InstanceModel) -> Bool {
        instance.spawnedAt != nil && worker.reasons.isEmpty && instance.announcedStop == nil
    }

    private func notePassing(_ name: String, _ worker: WorkerModel, _ instance: InstanceModel) {
        // One that was said before a pause, or that nobody has asked for, arms nothing.
        guard isJudged(worker, instance), worker.specification.checkpoints[name] != nil else { return }
        instance.knownCheckpoints.insert(name)
        guard instance.isReady else { return }
        instance.formerCheckpoints[name] = instance.checkpoints[name]
        instance.checkpoints[name] = checkpointDue(name, worker, instance)
    }

    func noteAnnouncement(_ worker: WorkerModel, _ instance: InstanceModel) {
        instance.hasAnnouncedStop = true
        let total = instance.due(after: now) { $0.stopPlan.longest }
        let graces = instance.due(after: now) { $0.stopPlan.longest - $0.stopPlan.killGrace }
        if let total, let graces {
            instance.announcedStop = Due(earliest: graces.earliest, latest: total.latest)
        }
        instance.watchdog?.latest = Due.never
        for name in instance.checkpoints.keys { instance.checkpoints[name]?.latest = Due.never }
        instance.startTimeout?.latest = Due.never
        settleStability(of: worker, instance)
        instance.stableSince = nil
    }

    private func extend(_ instance: InstanceModel, by length: Duration) {
        let anew = Due(now.advanced(by: length))
        switch instance.ending {
        case .step, .struck: instance.stageDue = instance.stageDue?.extended(by: anew)
        case .killed: break
        case .none:
            if instance.announcedStop != nil {
                instance.formerAnnouncedStop = instance.announcedStop
                instance.announcedStop = instance.announcedStop?.extended(by: anew)
            } else if instance.startTimeout != nil {
                instance.formerStartTimeout = instance.startTimeout
                instance.startTimeout = instance.startTimeout?.extended(by: anew)
            }
        }
    }

    private func note(_ request: OperatorRequest, _ worker: WorkerModel) {
        guard !worker.isRemoved else { return }
        switch request {
        case .start:
            worker.isWanted = true
            worker.isOnRequest = true
            worker.hasOtherCause = true
            worker.forgetFailures()
            worker.instance?.stableSince = worker.instance?.stableSince.map { _ in now }
        case .stop:
            worker.isWanted = false
            worker.isOnRequest = false
            worker.instance?.isToBeStopped = true
        case .restart:
            worker.isWanted = true
            worker.isOnRequest = true
            worker.hasOtherCause = true
            worker.forgetFailures()
            worker.instance?.isToBeStopped = true
        }
    }

    private func notePause(_ worker: WorkerModel, _ reason: PauseReason) {
        guard !worker.isRemoved, !(reason.isShedding && worker.specification.isEssential) else { return }
        worker.reasons.insert(reason)
        if worker.reasons.count == 1, let instance = worker.instance, instance.isUp {
            suspendClocks(of: worker, instance)
        }
        if let instance = worker.instance, instance.spawnedAt == nil { instance.startTimeout?.latest = Due.never }
    }

    private func noteResume(_ worker: WorkerModel, _ reason: PauseReason) {
        guard worker.reasons.remove(reason) != nil, worker.reasons.isEmpty else { return }
        if worker.instance == nil { worker.hasOtherCause = true }
        resumeClocks(of: worker)
    }

    /// Everything starts afresh when the last reason is gone.
    func resumeClocks(of worker: WorkerModel) {
        guard let instance = worker.instance, instance.isUp else { return }
        if instance.announcesStopOnceThawed {
            instance.announcesStopOnceThawed = false
            return noteAnnouncement(worker, instance)
        }
        if instance.isReady {
            instance.stableSince = now
            instance.watchdog = watchdogDue(instance)
            armCheckpoints(worker, instance)
        } else {
            instance.startTimeout = startDue(instance)
        }
        if instance.announcedStop != nil {
            instance.watchdog?.latest = Due.never
            instance.startTimeout?.latest = Due.never
            instance.announcedStop?.latest = now.advanced(by: worker.specification.stopPlan.longest)
        }
    }
}
