import MonotonicTime

/// Starting children in order.
extension SupervisorTree {
    /// Brings a supervisor up: its children are started in order by the sequence that follows.
    mutating func bringUp(_ supervisor: SupervisorID) {
        supervisors[supervisor].phase = .up
        supervisors[supervisor].restarts = []
        supervisors[supervisor].owesRestart = false
        supervisors[supervisor].skipsGate = false
        for entry in supervisors[supervisor].entries {
            forgetOwedRestart(entry.child)
            makeWaiting(entry.child)
        }
    }

    /// What failed before its supervisor went down is started with it, not restarted: it draws on no allowance.
    private mutating func forgetOwedRestart(_ child: Child) {
        switch child {
        case .worker(let worker):
            workers[worker].owesRestart = false
            workers[worker].notBefore = nil
        case .supervisor(let supervisor): supervisors[supervisor].owesRestart = false
        }
    }

    /// Starts every waiting child whose predecessors allow it.
    /// - Returns: whether a stop scope was opened on the way (the restart intensity was exceeded), so that it must begin.
    mutating func advanceStartSequence(_ supervisor: SupervisorID) -> Bool {
        guard workers.hasWaiting || supervisors.hasWaiting, supervisors[supervisor].scope == nil,
            admitsStarts(supervisor)
        else { return false }
        var gate = StartSequenceGate()
        for entry in supervisors[supervisor].entries {
            if isWaiting(entry.child), gate.blocker(of: entry.child, in: self) == nil {
                switch entry.child {
                case .worker(let worker): startWaiting(worker)
                case .supervisor(let child): startWaiting(child)
                }
                if supervisors[supervisor].scope != nil { return true }
            }
            gate.pass(entry.child, in: self)
        }
        return false
    }

    /// What keeps a waiting child from being started, as a name; `nil` when it is not held up by a predecessor.
    func blocker(of child: Child, in supervisor: SupervisorID) -> String? {
        var gate = StartSequenceGate()
        for entry in supervisors[supervisor].entries {
            if entry.child == child { return gate.blocker(of: child, in: self) }
            gate.pass(entry.child, in: self)
        }
        return nil
    }

    func isWaiting(_ child: Child) -> Bool {
        switch child {
        case .worker(let worker): workers[worker].isWaiting
        case .supervisor(let supervisor): supervisors[supervisor].isWaiting
        }
    }

    private mutating func startWaiting(_ worker: WorkerID) {
        workers[worker].skipsGate = false
        if let notBefore = workers[worker].notBefore, notBefore > now {
            enter(worker, .backingOff(until: notBefore))
        } else {
            spawn(worker)
        }
    }

    private mutating func startWaiting(_ supervisor: SupervisorID) {
        guard let parent = supervisors[supervisor].parent else { return }
        if supervisors[supervisor].owesRestart {
            guard admitRestart(of: .supervisor(supervisor), by: parent) else { return }
        }
        bringUp(supervisor)
        repeat {
            advanceStopScope(supervisor)
        } while advanceStartSequence(supervisor)
    }
}

/// Walks the children in declared order and knows for each what its predecessors allow.
private struct StartSequenceGate {
    /// The first predecessor that is still to be started.
    private var unstarted: String?
    /// The first predecessor that is wanted and not ready.
    private var unready: String?

    func blocker(of child: Child, in tree: SupervisorTree) -> String? {
        switch child {
        case .worker(let worker):
            if tree.workers[worker].skipsGate { return nil }
            switch tree.workers[worker].specification.startGate {
            case .previousStarted: return unstarted
            case .previousReady: return unstarted ?? unready
            }
        case .supervisor(let supervisor):
            return tree.supervisors[supervisor].skipsGate ? nil : unstarted
        }
    }

    mutating func pass(_ child: Child, in tree: SupervisorTree) {
        switch child {
        case .worker(let worker):
            let node = tree.workers[worker]
            if unstarted == nil, node.isWaiting { unstarted = node.specification.name }
            if unready == nil, !tree.satisfiesReadiness(worker) { unready = node.specification.name }
        case .supervisor(let supervisor):
            let node = tree.supervisors[supervisor]
            if unstarted == nil, node.isWaiting { unstarted = node.name }
            if unready == nil, !tree.satisfiesReadiness(supervisor) { unready = node.name }
        }
    }
}

extension SupervisorTree {
    /// Whether successors that ask for readiness may start: the worker is ready, finished, or not wanted at all.
    fileprivate func satisfiesReadiness(_ worker: WorkerID) -> Bool {
        switch workers[worker].phase {
        case .ready, .finished: true
        case .stopped, .waiting, .held, .starting, .running, .paused, .stopping, .backingOff, .failed:
            !workers[worker].isWanted
        }
    }

    /// Whether all wanted workers below the supervisor are ready or finished.
    fileprivate func satisfiesReadiness(_ supervisor: SupervisorID) -> Bool {
        supervisors[supervisor].entries.allSatisfy { entry in
            switch entry.child {
            case .worker(let worker): satisfiesReadiness(worker)
            case .supervisor(let child): satisfiesReadiness(child)
            }
        }
    }
}
