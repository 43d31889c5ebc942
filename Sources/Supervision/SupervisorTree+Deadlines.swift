package import MonotonicTime

extension SupervisorTree {
    /// When `deadlineReached` must be delivered next; `nil` for never. Linear in the size of the tree, if cheap.
    package var nextDeadline: MonotonicInstant? {
        guard shutdown != .complete else { return nil }
        return MonotonicInstant.earlier(workers.nextDeadline, supervisors.nextDeadline)
    }

    mutating func reachDeadlines() {
        for worker in workers.ids where workers.contains(worker) {
            guard let deadline = workers.deadline(of: worker), deadline <= now else { continue }
            reachDeadline(worker)
            settleParent(of: worker)
        }
        for supervisor in supervisors.ids {
            guard let deadline = supervisors.deadline(of: supervisor), deadline <= now else { continue }
            let parent = supervisors[supervisor].parent
            unpark(supervisor, skippingGate: startsByItself(.supervisor(supervisor), in: parent))
            settle(supervisor)
        }
    }

    private mutating func reachDeadline(_ worker: WorkerID) {
        switch workers[worker].phase {
        case .starting, .running:
            beginStop(worker, for: .failure(.startTimedOut))
        case .ready(var live):
            if let watchdogDeadline = live.watchdogDeadline, watchdogDeadline <= now {
                beginStop(worker, for: .failure(.watchdogTimedOut))
            } else if let missed = live.nextCheckpoint, missed.deadline <= now {
                let longest = workers[worker].specification.checkpoints[missed.name] ?? .zero
                beginStop(worker, for: .failure(.checkpointMissed(missed.name, within: longest)))
            } else {
                workers[worker].failures = 0
                live.stableAt = nil
                enter(worker, .ready(live))
            }
        case .stopping(let live, let stop):
            advanceStop(worker, live, stop)
        case .backingOff, .failed:
            retry(worker)
        case .paused, .stopped, .waiting, .held, .finished:
            break
        }
    }

    mutating func retry(_ worker: WorkerID) {
        workers[worker].skipsGate = startsByItself(.worker(worker), in: workers[worker].parent)
        spawn(worker)
    }

    /// Whether a wait that is over leads to the child's own restart, which no start gate holds up. When its supervisor is
    /// down, or restarts its group, it starts with the others in order.
    private func startsByItself(_ child: Child, in parent: SupervisorID?) -> Bool {
        guard let parent else { return false }
        return admitsStarts(parent) && !supervisors[parent].isInStopScope(child)
    }
}

extension WorkerNode: RegisteredNode {
    var deadline: MonotonicInstant? {
        switch phase {
        case .starting(let live), .running(let live): live.startDeadline
        case .ready(let live):
            MonotonicInstant.earlier(
                MonotonicInstant.earlier(live.watchdogDeadline, live.nextCheckpoint?.deadline), live.stableAt)
        case .stopping(_, let stop): stop.deadline
        case .backingOff(let until): until
        case .failed(let retryAt): retryAt
        case .paused, .stopped, .waiting, .held, .finished: nil
        }
    }

    var isWaiting: Bool { phase.state == .waiting }
}

extension SupervisorNode: RegisteredNode {
    var deadline: MonotonicInstant? {
        switch phase {
        case .parked(let until): until
        case .down, .waiting, .up: nil
        }
    }

    var isWaiting: Bool { phase == .waiting }
}

extension MonotonicInstant {
    /// The earlier of two, of which either may be never.
    fileprivate static func earlier(_ first: MonotonicInstant?, _ second: MonotonicInstant?) -> MonotonicInstant? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }
}
