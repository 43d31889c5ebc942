package import MonotonicTime

extension SupervisorTree {
    /// When `deadlineReached` must be delivered next; `nil` for never. Linear in the size of the tree.
    package var nextDeadline: MonotonicInstant? {
        guard shutdown != .complete else { return nil }
        let ofWorkers = workers.ids.lazy.compactMap { deadline(of: $0) }.min()
        let ofSupervisors = supervisors.ids.lazy.compactMap { deadline(of: $0) }.min()
        return [ofWorkers, ofSupervisors].compactMap { $0 }.min()
    }

    private func deadline(of worker: WorkerID) -> MonotonicInstant? {
        switch workers[worker].phase {
        case .starting(let live), .running(let live): live.startDeadline
        case .ready(let live): [live.watchdogDeadline, live.stableAt].compactMap { $0 }.min()
        case .stopping(_, let stop): stop.deadline
        case .backingOff(let until): until
        case .failed(let retryAt): retryAt
        case .paused, .stopped, .waiting, .held, .finished: nil
        }
    }

    private func deadline(of supervisor: SupervisorID) -> MonotonicInstant? {
        switch supervisors[supervisor].phase {
        case .parked(let until): until
        case .down, .waiting, .up: nil
        }
    }

    mutating func reachDeadlines() {
        for worker in workers.ids where workers.contains(worker) {
            guard let deadline = deadline(of: worker), deadline <= now else { continue }
            reachDeadline(worker)
            settleParent(of: worker)
        }
        for supervisor in supervisors.ids {
            guard let deadline = deadline(of: supervisor), deadline <= now else { continue }
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
