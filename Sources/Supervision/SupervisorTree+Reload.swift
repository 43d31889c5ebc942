import MonotonicTime

/// Applying a new configuration to a tree in any state: only what changed is touched.
extension SupervisorTree {
    mutating func reload(_ specification: SupervisorSpecification) {
        guard shutdown == .none else { return }
        var reload = Reload(in: self)
        rebuild(root, specification, &reload)
        for worker in reload.unclaimedWorkers.values.sorted() { depart(worker, &reload) }
        for supervisor in reload.unclaimedSupervisors.values {
            removed.supervisors.append(supervisors[supervisor].name)
            supervisors.remove(supervisor)
        }
        conform(root)
        for worker in reload.replaced where workers.contains(worker) { beginAnew(above: worker) }
        // Only now: a worker that is resumed lets others start, which must find the new tree complete.
        for worker in workers.ids where workers.contains(worker) { dropSheddingIfEssential(worker) }
        report(.reloaded(reload.summary))
        settleAll(root)
    }

    /// Gives `supervisor` the children of its new specification, in their new order.
    private mutating func rebuild(
        _ supervisor: SupervisorID, _ specification: SupervisorSpecification, _ reload: inout Reload
    ) {
        let before = supervisors[supervisor].entries
        supervisors[supervisor].adopt(specification)
        let isGoingDown = supervisors[supervisor].scope != nil && supervisors[supervisor].scope != .startAgain
        var entries: [SupervisorNode.Entry] = []
        for child in specification.children {
            let claimed = claim(child, under: supervisor, &reload)
            let wasInStopScope = before.first { $0.child == claimed }?.isInStopScope ?? false
            entries.append(SupervisorNode.Entry(child: claimed, isInStopScope: wasInStopScope || isGoingDown))
        }
        supervisors[supervisor].entries = entries
    }

    /// The node for a child of the new specification: the one of that name, wherever it was, or a new one.
    private mutating func claim(
        _ child: ChildSpecification, under parent: SupervisorID, _ reload: inout Reload
    ) -> Child {
        switch child {
        case .worker(let specification):
            if let worker = reload.unclaimedWorkers.removeValue(forKey: specification.name) {
                workers[worker].parent = parent
                update(worker, to: specification, &reload)
                return .worker(worker)
            }
            reload.summary.added.append(specification.name)
            return insert(child, under: parent).child
        case .supervisor(let specification):
            guard let supervisor = reload.unclaimedSupervisors.removeValue(forKey: specification.name) else {
                let added = supervisors.insert { SupervisorNode($0, specification, parent: parent) }
                rebuild(added, specification, &reload)
                return .supervisor(added)
            }
            supervisors[supervisor].parent = parent
            rebuild(supervisor, specification, &reload)
            return .supervisor(supervisor)
        }
    }

    private mutating func update(
        _ worker: WorkerID, to specification: WorkerSpecification, _ reload: inout Reload
    ) {
        let before = workers[worker].specification
        if departing.remove(worker) != nil {
            // Removed by an earlier reload and still on its way down: it comes back when it is.
            workers[worker].specification = specification
            workers[worker].isWanted = specification.startsAutomatically
            reload.summary.added.append(specification.name)
        } else if before.launch != specification.launch {
            replace(worker, with: specification)
            reload.replaced.append(worker)
            reload.summary.restarted.append(specification.name)
        } else if before != specification {
            adjust(worker, to: specification)
            reload.summary.adjusted.append(specification.name)
        } else {
            reload.summary.unchanged.append(specification.name)
        }
    }

    /// The process has to be replaced: stop by the old plan, start as the new specification says.
    mutating func replace(_ worker: WorkerID, with specification: WorkerSpecification) {
        switch workers[worker].phase {
        case .starting, .running, .ready, .paused, .stopping: requestStop(worker)
        case .backingOff, .failed, .finished: if workers[worker].isWanted { lineUp(worker) }
        case .stopped, .waiting, .held: break
        }
        workers[worker].specification = specification
        workers[worker].forgetFailures()
    }

    /// What a supervisor was parked for, or is about to be, was the doing of a program that is replaced: it starts again, with an
    /// empty window.
    private mutating func beginAnew(above worker: WorkerID) {
        guard workers[worker].isWanted else { return }
        var supervisor = workers[worker].parent
        while let current = supervisor {
            switch supervisors[current].scope {
            case .park, .escalate:
                report(.supervisorRetried(supervisor: supervisors[current].name))
                supervisors[current].scope = .startAgain
                supervisors[current].restarts = []
            case .startAgain, .down, nil: break
            }
            if case .parked = supervisors[current].phase { unpark(current, skippingGate: false) }
            supervisor = supervisors[current].parent
        }
    }

    /// Only the policy changed: it applies from now on, to the process that runs.
    private mutating func adjust(_ worker: WorkerID, to specification: WorkerSpecification) {
        let before = workers[worker].specification
        workers[worker].specification = specification
        if before.watchdog != specification.watchdog, let live = workers[worker].phase.instance {
            changeWatchdogPeriod(worker, live, to: specification.watchdog)
        }
        if before.checkpoints != specification.checkpoints { changeCheckpoints(worker) }
        if specification.readiness == .started, case .running(let live) = workers[worker].phase {
            becomeReady(worker, live)
        }
    }

    mutating func dropSheddingIfEssential(_ worker: WorkerID) {
        guard workers[worker].specification.isEssential else { return }
        for reason in workers[worker].pauseReasons.sorted() where reason.isShedding { resume(worker, from: reason) }
    }

    private mutating func depart(_ worker: WorkerID, _ reload: inout Reload) {
        guard !departing.contains(worker) else { return }
        reload.summary.removed.append(workers[worker].specification.name)
        workers[worker].parent = nil
        workers[worker].isWanted = false
        departing.insert(worker)
        switch workers[worker].phase {
        case .starting, .running, .ready, .paused, .stopping: requestStop(worker)
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: forget(worker)
        }
    }

    mutating func forget(_ worker: WorkerID) {
        workersByName[workers[worker].specification.name] = nil
        removed.workers.append(workers[worker].specification.name)
        departing.remove(worker)
        workers.remove(worker)
        actions.append(.forgetWorker(worker))
    }

    /// After children were added or moved: those of a supervisor that is up are to start, those of one that is not have
    /// to be down.
    mutating func conform(_ supervisor: SupervisorID) {
        let isUp = supervisors[supervisor].phase == .up
        let isStarting = isUp && (supervisors[supervisor].scope == nil || supervisors[supervisor].scope == .startAgain)
        for entry in supervisors[supervisor].entries {
            switch entry.child {
            case .worker(let worker):
                switch workers[worker].phase {
                case .stopped: if workers[worker].isWanted { lineUp(worker) }
                case .waiting, .held, .backingOff, .failed: if !isUp { lineUp(worker) }
                case .starting, .running, .ready, .paused: if !isUp { requestStop(worker) }
                case .stopping, .finished: break
                }
            case .supervisor(let child):
                switch supervisors[child].phase {
                // A supervisor that is new takes over the workers that were moved to it as they are.
                case .down: if isStarting { supervisors[child].phase = hasProcesses(child) ? .up : .waiting }
                case .up, .waiting, .parked: if !isUp { orderStop(.supervisor(child)) }
                }
                conform(child)
            }
        }
    }

    mutating func settleAll(_ supervisor: SupervisorID) {
        for entry in supervisors[supervisor].entries {
            if case .supervisor(let child) = entry.child, supervisors.contains(child) { settleAll(child) }
        }
        settle(supervisor)
    }
}

/// What a reload has not yet found in the new specification.
private struct Reload {
    var unclaimedWorkers: [String: WorkerID]
    var unclaimedSupervisors: [String: SupervisorID] = [:]
    var summary = ReloadSummary()
    /// Those whose process has to be replaced.
    var replaced: [WorkerID] = []

    init(in tree: SupervisorTree) {
        unclaimedWorkers = tree.workersByName
        for supervisor in tree.supervisors.ids where supervisor != tree.root {
            unclaimedSupervisors[tree.supervisors[supervisor].name] = supervisor
        }
    }
}
