import MonotonicTime

/// The worker state machine: what a worker's process does. Each event is a switch over every phase; there is no
/// `default`, so that a new phase has to be thought through everywhere.
extension SupervisorTree {
    /// Orders a process, unless a pause reason holds or the restart would exceed the intensity.
    mutating func spawn(_ worker: WorkerID) {
        guard let parent = workers[worker].parent, admitsStarts(parent),
            !supervisors[parent].isInStopScope(.worker(worker))
        else { return lineUp(worker) }
        guard workers[worker].pauseReasons.isEmpty else { return enter(worker, .held) }
        if workers[worker].owesRestart {
            guard admitRestart(of: .worker(worker), by: parent) else { return lineUpAfterRefusal(worker, by: parent) }
            workers[worker].restarts += 1
        }
        workers[worker].owesRestart = false
        workers[worker].notBefore = nil
        workers[worker].skipsGate = false
        lastInstance += 1
        let specification = workers[worker].specification
        let live = LiveInstance(
            id: InstanceID(rawValue: lastInstance), spawnedAt: now, startDeadline: now + specification.startTimeout,
            watchdogPeriod: specification.watchdog, stabilityRemaining: specification.backoff.stableAfter)
        actions.append(.spawn(worker, live.id))
        enter(worker, .starting(live))
    }

    mutating func spawned(_ worker: WorkerID, _ instance: InstanceID) {
        guard let live = liveInstance(of: worker, instance) else { return }
        switch workers[worker].phase {
        case .starting:
            enter(worker, .running(live))
            if workers[worker].specification.readiness == .started { becomeReady(worker, live) }
            if !workers[worker].pauseReasons.isEmpty { freeze(worker) }
            settleParent(of: worker)
        case .running, .ready, .paused, .stopping: break  // a duplicate, or it is to go already
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    mutating func spawnFailed(_ worker: WorkerID, _ instance: InstanceID, _ failure: SpawnFailure) {
        guard let live = liveInstance(of: worker, instance) else { return }
        switch workers[worker].phase {
        case .starting:
            ended(worker, live, .spawnFailed(failure), exit: nil, endedAt: now)
            settleParent(of: worker)
        case .stopping(let live, let stop):
            finishStop(worker, live, stop, spawnFailure: failure)
        case .running, .ready, .paused: break  // cannot be: its program runs
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    mutating func exited(_ worker: WorkerID, _ instance: InstanceID, _ status: ExitStatus) {
        guard let live = liveInstance(of: worker, instance) else { return }
        switch workers[worker].phase {
        case .starting, .running, .ready, .paused:
            let stop = Stop(
                purpose: .ended, begunAt: now, killGrace: workers[worker].specification.stopPlan.killGrace,
                deadline: now)
            cleanUpGroup(worker, live, stop, status)
        case .stopping(_, let stop):
            guard stop.exit == nil else { return }
            cleanUpGroup(worker, live, stop, status)
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    mutating func groupEmptied(_ worker: WorkerID, _ instance: InstanceID) {
        guard liveInstance(of: worker, instance) != nil else { return }
        switch workers[worker].phase {
        case .stopping(let live, let stop):
            // Before the exit it can only be a stray report: the main process is part of the group.
            if stop.exit != nil { finishStop(worker, live, stop) }
        case .starting, .running, .ready, .paused: break
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    mutating func notified(_ worker: WorkerID, _ instance: InstanceID, _ notification: Notification) {
        guard var live = liveInstance(of: worker, instance) else { return }
        switch (notification, workers[worker].phase) {
        case (.ready, .running):
            becomeReady(worker, live)
            settleParent(of: worker)
        case (.ready, .paused):
            // It said so before it was frozen. Whether it is ready is settled when it runs again.
            live.wasReady = true
            enter(worker, .paused(live))
        case (.ready, .starting), (.ready, .ready), (.ready, .stopping): break

        case (.watchdogPing, .ready):
            armWatchdog(&live)
            enter(worker, .ready(live))
        case (.watchdogPing, .starting), (.watchdogPing, .running), (.watchdogPing, .paused),
            (.watchdogPing, .stopping):
            break  // not armed yet, suspended, or too late

        case (.watchdogTriggered, .running), (.watchdogTriggered, .ready), (.watchdogTriggered, .paused):
            beginStop(worker, for: .failure(.watchdogTriggered))
        case (.watchdogTriggered, .starting), (.watchdogTriggered, .stopping): break

        case (.checkpoint(let name), .running):
            // Nothing is expected of it before it is ready.
            guard workers[worker].specification.checkpoints[name] != nil else { return }
            live.reach(name, again: nil)
            enter(worker, .running(live))
        case (.checkpoint(let name), .ready):
            guard let longest = workers[worker].specification.checkpoints[name] else { return }
            live.reach(name, again: now + longest)
            enter(worker, .ready(live))
        case (.checkpoint, .starting), (.checkpoint, .paused), (.checkpoint, .stopping):
            break  // not there yet, suspended, or too late

        case (.unhealthy(let reason), .running), (.unhealthy(let reason), .ready):
            beginStop(worker, for: .failure(.unhealthy(reason)))
        case (.unhealthy, .starting), (.unhealthy, .paused), (.unhealthy, .stopping):
            break  // a worker that stands still answers nobody

        case (.watchdogPeriodChanged(let period), .running), (.watchdogPeriodChanged(let period), .ready),
            (.watchdogPeriodChanged(let period), .paused):
            changeWatchdogPeriod(worker, live, to: period > .zero ? period : nil)
        case (.watchdogPeriodChanged, .starting), (.watchdogPeriodChanged, .stopping): break

        case (.timeoutExtended(let extension_), .running):
            live.startDeadline = max(live.startDeadline, now + extension_)
            enter(worker, .running(live))
        case (.timeoutExtended(let extension_), .stopping(_, var stop)):
            let latest = stop.begunAt + workers[worker].specification.stopPlan.longest + StopPlan.longestExtension
            guard !stop.isKilled, stop.exit == nil else { return }
            stop.deadline = max(stop.deadline, min(now + extension_, latest))
            enter(worker, .stopping(live, stop))
        case (.timeoutExtended, .starting), (.timeoutExtended, .ready), (.timeoutExtended, .paused): break

        case (.stopping, .running), (.stopping, .ready):
            announceStop(worker, live)
        case (.stopping, .paused):
            // It said so before it was frozen, and goes once it runs again.
            live.hasAnnouncedStop = true
            enter(worker, .paused(live))
        case (.stopping, .starting), (.stopping, .stopping): break

        // The service stays ready while it reloads (sd_notify(3)); the READY=1 that ends it is harmless.
        case (.reloading, .starting), (.reloading, .running), (.reloading, .ready), (.reloading, .paused),
            (.reloading, .stopping):
            break

        case (_, .stopped), (_, .waiting), (_, .held), (_, .backingOff), (_, .failed), (_, .finished): break
        }
    }

    /// The instance that an event speaks of, if it is the worker's current one.
    private func liveInstance(of worker: WorkerID, _ instance: InstanceID) -> LiveInstance? {
        guard workers.contains(worker), let live = workers[worker].phase.instance, live.id == instance else {
            return nil
        }
        return live
    }

    mutating func becomeReady(_ worker: WorkerID, _ live: LiveInstance) {
        var live = live
        live.wasReady = true
        armReadyClocks(worker, &live)
        enter(worker, .ready(live))
        if let brokenSince = workers[worker].brokenSince {
            workers[worker].brokenSince = nil
            report(.workerRecovered(worker, live.id, after: brokenSince.duration(to: now)))
        }
    }

    /// Watchdog, checkpoint and stability clocks, fresh or continued, from now on.
    mutating func armReadyClocks(_ worker: WorkerID, _ live: inout LiveInstance) {
        armWatchdog(&live)
        armCheckpoints(worker, &live)
        live.stableAt = workers[worker].failures > 0 ? now + live.stabilityRemaining : nil
    }

    private func armWatchdog(_ live: inout LiveInstance) {
        live.watchdogDeadline = live.watchdogPeriod.map { now + $0 }
    }

    /// Each that is known gets a fresh period; those that are not configured any more are forgotten.
    private func armCheckpoints(_ worker: WorkerID, _ live: inout LiveInstance) {
        let longest = workers[worker].specification.checkpoints
        live.checkpoints.removeAll { longest[$0.name] == nil }
        for index in live.checkpoints.indices {
            live.checkpoints[index].deadline = longest[live.checkpoints[index].name].map { now + $0 }
        }
    }

    /// A reload has changed how long a checkpoint may take: those of a process that runs begin anew.
    mutating func changeCheckpoints(_ worker: WorkerID) {
        guard case .ready(var live) = workers[worker].phase else { return }
        armCheckpoints(worker, &live)
        enter(worker, .ready(live))
    }

    mutating func changeWatchdogPeriod(_ worker: WorkerID, _ live: LiveInstance, to period: Duration?) {
        var live = live
        live.watchdogPeriod = period
        switch workers[worker].phase {
        case .ready:
            armWatchdog(&live)
            enter(worker, .ready(live))
        case .starting: enter(worker, .starting(live))
        case .running: enter(worker, .running(live))
        case .paused: enter(worker, .paused(live))
        case .stopping, .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }
}
