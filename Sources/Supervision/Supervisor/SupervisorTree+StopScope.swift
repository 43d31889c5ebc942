import MonotonicTime

/// Stopping children in reverse order: for a group restart, a park, an escalation, or because the supervisor goes down.
extension SupervisorTree {
    /// Opens or widens the stop scope to the children from `first` on. A stronger purpose replaces a weaker one.
    mutating func openScope(_ supervisor: SupervisorID, from first: Int = 0, for purpose: ScopePurpose) {
        switch (supervisors[supervisor].scope, purpose) {
        case (nil, _), (.startAgain, _), (_, .down): supervisors[supervisor].scope = purpose
        case (.park, _), (.escalate, _), (.down, _): break
        }
        supervisors[supervisor].enterStopScope(from: first)
        // From here on they start with their group, in order, and no longer by themselves.
        for entry in supervisors[supervisor].entries.dropFirst(first) { forgetGateSkip(entry.child) }
    }

    /// Changes nothing that need not be changed: it happens to all at every step of a long stop.
    private mutating func forgetGateSkip(_ child: Child) {
        switch child {
        case .worker(let worker): if workers[worker].skipsGate { workers[worker].skipsGate = false }
        case .supervisor(let supervisor):
            if supervisors[supervisor].skipsGate { supervisors[supervisor].skipsGate = false }
        }
    }

    /// Stops the last child of the scope that is not down yet; once all are, does what the scope was opened for.
    mutating func advanceStopScope(_ supervisor: SupervisorID) {
        guard let purpose = supervisors[supervisor].scope else { return }
        for entry in supervisors[supervisor].entries.reversed() where entry.isInStopScope && !isDown(entry.child) {
            orderStop(entry.child)
            if !isDown(entry.child) { return }
        }
        if purpose == .startAgain && isHeldUpByBackoff(supervisor) { return }
        closeScope(supervisor, purpose)
    }

    /// Orders a child to go down. Safe to repeat.
    mutating func orderStop(_ child: Child) {
        switch child {
        case .worker(let worker):
            requestStop(worker)
        case .supervisor(let supervisor):
            switch supervisors[supervisor].phase {
            case .down:
                break
            case .waiting, .parked:
                supervisors[supervisor].phase = .down
                settleDown(supervisor)
            case .up:
                openScope(supervisor, for: .down)
                advanceStopScope(supervisor)
            }
        }
    }

    /// A group restart waits for the back-off of the child that caused it.
    private func isHeldUpByBackoff(_ supervisor: SupervisorID) -> Bool {
        supervisors[supervisor].entries.contains { entry in
            guard entry.isInStopScope, case .worker(let worker) = entry.child else { return false }
            if case .backingOff(let until) = workers[worker].phase { return until > now }
            return false
        }
    }

    private mutating func closeScope(_ supervisor: SupervisorID, _ purpose: ScopePurpose) {
        let scoped = supervisors[supervisor].entries.filter(\.isInStopScope).map(\.child)
        supervisors[supervisor].scope = nil
        for index in supervisors[supervisor].entries.indices {
            supervisors[supervisor].entries[index].isInStopScope = false
        }
        switch purpose {
        case .startAgain:
            for child in scoped { makeWaiting(child) }
        case .park(let retryAfter):
            supervisors[supervisor].phase = .parked(until: retryAfter.map { now + $0 })
        case .escalate:
            supervisors[supervisor].phase = .down
            settleDown(supervisor)
            supervisorFailed(supervisor)
        case .down:
            supervisors[supervisor].phase = .down
            settleDown(supervisor)
            waitIfParentIsUp(supervisor)
        }
    }

    /// Its parent may be up by now, or a reload gave it another one that is: then it is to start again.
    private mutating func waitIfParentIsUp(_ supervisor: SupervisorID) {
        guard let parent = supervisors[supervisor].parent, admitsStarts(parent),
            !supervisors[parent].isInStopScope(.supervisor(supervisor))
        else { return }
        supervisors[supervisor].phase = .waiting
    }

    /// After a group stop: everything that was stopped for it, or had finished, is to run again.
    mutating func makeWaiting(_ child: Child) {
        switch child {
        case .worker(let worker):
            switch workers[worker].phase {
            case .backingOff, .finished, .stopped: if workers[worker].isWanted { lineUp(worker) }
            case .waiting, .held, .failed: break
            case .starting, .running, .ready, .paused, .stopping: break
            }
        case .supervisor(let supervisor):
            if supervisors[supervisor].phase == .down { supervisors[supervisor].phase = .waiting }
        }
    }

    /// The supervisor is down: so are its children, and they have no schedule of their own until it comes up again. Those
    /// that are wanted wait for that.
    private mutating func settleDown(_ supervisor: SupervisorID) {
        supervisors[supervisor].restarts = []
        for entry in supervisors[supervisor].entries {
            forgetGateSkip(entry.child)
            switch entry.child {
            case .worker(let worker):
                workers[worker].notBefore = nil
                workers[worker].owesRestart = false
                switch workers[worker].phase {
                case .waiting, .held, .backingOff, .failed:
                    if workers[worker].isWanted, shutdown == .none { lineUp(worker) } else { enter(worker, .stopped) }
                case .stopped, .finished: break
                case .starting, .running, .ready, .paused, .stopping: break
                }
            case .supervisor(let child):
                if supervisors[child].phase != .up, supervisors[child].phase != .down {
                    supervisors[child].phase = .down
                    settleDown(child)
                }
            }
        }
    }
}
