import MonotonicTime

/// Carrying on from a record: the processes are still there, the supervisor is a new one.
///
/// The tree has the shape of the configuration as it is now, and each worker and supervisor of it the state that its
/// namesake was in. What has to be different since is brought about by `resumed` with the means of a reload.
extension SupervisorTree {
    /// A tree that takes over from the one that was recorded. `resumed` has to be its first event.
    /// - Parameter seed: as for a new tree.
    package init(_ root: SupervisorSpecification, seed: UInt64, restoring record: TreeRecord) {
        self.init(root, seed: seed)
        lastInstance = record.lastInstance
        for supervisor in supervisors.ids {
            if let recorded = record.supervisors[supervisors[supervisor].name] { restore(supervisor, recorded) }
        }
        for worker in workers.ids {
            if let recorded = record.workers[workers[worker].specification.name] { restore(worker, recorded) }
        }
        for recorded in record.workers.values.sorted(by: { $0.name < $1.name })
        where workersByName[recorded.name] == nil {
            restoreDeparted(recorded)
        }
        removed.workers = record.workers.keys.filter { workersByName[$0] == nil }.sorted()
        let present = Set(supervisors.ids.map { supervisors[$0].name })
        removed.supervisors = record.supervisors.keys.filter { !present.contains($0) }.sorted()
    }

    private mutating func restore(_ supervisor: SupervisorID, _ record: SupervisorRecord) {
        supervisors[supervisor].phase = record.phase
        // Everything was to end, and is to run again: this supervisor would not be here otherwise.
        let endsWithTheRoot = supervisor == root && record.scope == .down
        supervisors[supervisor].scope = endsWithTheRoot ? .startAgain : record.scope
        supervisors[supervisor].owesRestart = record.owesRestart
        supervisors[supervisor].skipsGate = record.skipsGate
        supervisors[supervisor].restarts = record.restarts.map { (child: $0.child, at: $0.at) }
        let goesDown = record.scope != nil && supervisors[supervisor].scope != .startAgain
        for index in supervisors[supervisor].entries.indices {
            let name = name(of: supervisors[supervisor].entries[index].child)
            let isScoped = record.areAllScoped || record.scoped.contains(name)
            supervisors[supervisor].entries[index].isInStopScope = isScoped || goesDown
        }
    }

    private mutating func restore(_ worker: WorkerID, _ record: WorkerRecord) {
        let specification = workers[worker].specification
        workers[worker].phase = record.phase
        // Removed, and configured again before it was gone: what anybody wanted of it is long over.
        workers[worker].isWanted = record.isDeparting ? specification.startsAutomatically : record.isWanted
        workers[worker].pauseReasons = record.pauseReasons
        workers[worker].failures = record.failures
        workers[worker].owesRestart = record.owesRestart
        workers[worker].notBefore = record.notBefore
        workers[worker].skipsGate = record.skipsGate
        workers[worker].brokenSince = record.brokenSince
        workers[worker].restarts = record.restarts
        workers[worker].lastExit = record.lastExit
        workers[worker].lastFailure = record.lastFailure
        if record.watchdog != specification.watchdog { workers[worker].phase.setWatchdogPeriod(specification.watchdog) }
        if record.launch != specification.launch {
            outdated[worker] = specification
            // What runs of it is stopped by the plan that it was started with.
            if let stopPlan = record.stopPlan { workers[worker].specification.stopPlan = stopPlan }
            if let signal = record.watchdogSignal { workers[worker].specification.watchdogSignal = signal }
        }
    }

    /// It is no longer configured: what runs of it has to go, by the plan that it was started with.
    private mutating func restoreDeparted(_ record: WorkerRecord) {
        guard !record.phase.isDown else { return }
        let specification = WorkerSpecification(
            name: record.name, watchdog: record.watchdog, watchdogSignal: record.watchdogSignal ?? .kill,
            stopPlan: record.stopPlan ?? StopPlan(), launch: record.launch)
        let worker = workers.insert {
            WorkerNode(id: $0, specification: specification, parent: nil, isWanted: false)
        }
        workersByName[record.name] = worker
        restore(worker, record)
        workers[worker].isWanted = false
        departing.insert(worker)
    }

    /// The first event of a restored tree. Clocks that count against a worker begin anew, and what was ordered is ordered
    /// again: nobody knows how far it got.
    mutating func resumeSupervision() {
        for worker in workers.ids { reassert(worker) }
        for worker in departing.sorted() { requestStop(worker) }
        for (worker, specification) in outdated.sorted(by: { $0.key < $1.key }) { replace(worker, with: specification) }
        outdated = [:]
        if supervisors[root].phase == .down { bringUp(root) }
        conform(root)
        for worker in workers.ids where workers.contains(worker) {
            dropSheddingIfEssential(worker)
            if workers[worker].pauseReasons.isEmpty { endPause(worker) }
        }
        settleAll(root)
    }

    /// Nothing is settled in here: others may not have had their turn yet.
    private mutating func reassert(_ worker: WorkerID) {
        guard let live = workers[worker].phase.instance else { return }
        switch workers[worker].phase {
        case .starting, .running:
            actions.append(.thawGroup(worker, live.id))
            startClockAnew(worker)
        case .ready:
            actions.append(.thawGroup(worker, live.id))
            becomeReady(worker, live)
        case .paused:
            let isEssential = workers[worker].specification.isEssential
            let isPaused = workers[worker].pauseReasons.contains { !isEssential || !$0.isShedding }
            if isPaused { actions.append(.freezeGroup(worker, live.id)) }
        case .stopping(_, let stop):
            beginAgain(worker, live, stop)
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    private mutating func startClockAnew(_ worker: WorkerID) {
        let specification = workers[worker].specification
        let deadline = now + specification.startTimeout
        switch workers[worker].phase {
        case .starting(var live):
            live.startDeadline = deadline
            enter(worker, .starting(live))
        case .running(var live):
            live.startDeadline = deadline
            enter(worker, .running(live))
            if specification.readiness == .started { becomeReady(worker, live) }
        case .ready, .paused, .stopping, .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }

    private mutating func beginAgain(_ worker: WorkerID, _ live: LiveInstance, _ stop: Stop) {
        var stop = stop
        if let exit = stop.exit {
            stop.isKilled = false
            let endedAt = stop.endedAt
            cleanUpGroup(worker, live, stop, exit)
            if case .stopping(let live, var stop) = workers[worker].phase {
                stop.endedAt = endedAt
                enter(worker, .stopping(live, stop))
            }
            return
        }
        // It may have been paused before, and a frozen group takes no signal.
        actions.append(.thawGroup(worker, live.id))
        switch stop.purpose {
        case .requested, .failure:
            beginStop(worker, for: stop.purpose, by: StopPlan(steps: stop.steps, killGrace: stop.killGrace))
            guard case .stopping(let live, var fresh) = workers[worker].phase else { return }
            fresh.isRequestedToo = stop.isRequestedToo
            enter(worker, .stopping(live, fresh))
        case .announced:
            awaitAnnouncedStop(worker, live, isRequestedToo: stop.isRequestedToo)
        case .ended:
            break  // has an exit
        }
    }

    /// The supervisor before us died before it let the program go: nothing of the instance ever ran, and it is no failure
    /// of the worker's.
    mutating func spawnInterrupted(_ worker: WorkerID, _ instance: InstanceID) {
        guard workers.contains(worker), let live = workers[worker].phase.instance, live.id == instance else { return }
        switch workers[worker].phase {
        case .starting:
            retry(worker)
            settleParent(of: worker)
        case .stopping(let live, var stop):
            stop.purpose = .requested
            finishStop(worker, live, stop)
        case .running, .ready, .paused: break  // cannot be: its program runs
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }
}

extension WorkerPhase {
    /// For the instance that there is, if there is one.
    fileprivate mutating func setWatchdogPeriod(_ period: Duration?) {
        switch self {
        case .starting(var live):
            live.watchdogPeriod = period
            self = .starting(live)
        case .running(var live):
            live.watchdogPeriod = period
            self = .running(live)
        case .ready(var live):
            live.watchdogPeriod = period
            self = .ready(live)
        case .paused(var live):
            live.watchdogPeriod = period
            self = .paused(live)
        case .stopping, .stopped, .waiting, .held, .backingOff, .failed, .finished: break
        }
    }
}
