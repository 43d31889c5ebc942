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
    }

    private mutating func restore(_ supervisor: SupervisorID, _ record: SupervisorRecord) {
        var childrenByName: [String: Child] = [:]
        for entry in supervisors[supervisor].entries { childrenByName[name(of: entry.child)] = entry.child }
        supervisors[supervisor].phase = record.phase
        // Everything was to end, and is to run again: this supervisor would not be here otherwise.
        let endsWithTheRoot = supervisor == root && record.scope == .down
        supervisors[supervisor].scope = endsWithTheRoot ? .startAgain : record.scope
        supervisors[supervisor].owesRestart = record.owesRestart
        supervisors[supervisor].skipsGate = record.skipsGate
        supervisors[supervisor].restarts = record.restarts.compactMap { restart in
            childrenByName[restart.child].map { (child: $0, at: restart.at) }
        }
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
        workers[worker].isWanted = record.isWanted
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
        if record.launch != specification.launch { outdated.insert(worker) }
    }

    /// It is no longer configured: what runs of it has to go.
    private mutating func restoreDeparted(_ record: WorkerRecord) {
        guard !record.phase.isDown else { return }
        let worker = workers.insert {
            WorkerNode(id: $0, specification: WorkerSpecification(name: record.name), parent: nil, isWanted: false)
        }
        workersByName[record.name] = worker
        restore(worker, record)
        workers[worker].isWanted = false
        departing.insert(worker)
    }

    /// The first event of a restored tree. Clocks that count against a worker begin anew, and what was ordered is ordered
    /// again: nobody knows how far it got.
    mutating func resumeSupervision() {
        for worker in workers.ids {
            reassert(worker)
            if departing.contains(worker) { requestStop(worker) }
        }
        for worker in outdated.sorted() where workers.contains(worker) && !departing.contains(worker) {
            replace(worker, with: workers[worker].specification)
        }
        outdated = []
        if supervisors[root].phase == .down { bringUp(root) }
        conform(root)
        for worker in workers.ids where workers.contains(worker) { dropSheddingIfEssential(worker) }
        settleAll(root)
    }

    private mutating func reassert(_ worker: WorkerID) {
        switch workers[worker].phase {
        case .starting(var live):
            live.startDeadline = now + workers[worker].specification.startTimeout
            enter(worker, .starting(live))
        case .running(let live):
            thaw(worker, live)
        case .ready(let live):
            actions.append(.thawGroup(worker, live.id))
            becomeReady(worker, live)
        case .paused(let live):
            actions.append(.freezeGroup(worker, live.id))
        case .stopping(let live, let stop):
            beginAgain(worker, live, stop)
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: break
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
        switch stop.purpose {
        case .requested, .failure:
            beginStop(worker, for: stop.purpose)
            guard case .stopping(let live, var fresh) = workers[worker].phase else { return }
            fresh.isRequestedToo = stop.isRequestedToo
            enter(worker, .stopping(live, fresh))
        case .announced:
            announceStop(worker, live)
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
            lineUp(worker)
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
