import MonotonicTime
import Supervision

extension Observer {
    /// The tree must wake up for every clock that runs, and must use up each deadline that it is told of.
    func checkDeadlines(_ status: TreeStatus) {
        defer { releaseFinishedGroups(status) }
        if event == .deadlineReached {
            lastDeadline = now
            // What one deadline sets off may be due at once itself, but not for ever.
            hastyDeadlines = nextDeadline.map { $0 <= now } ?? false ? hastyDeadlines + 1 : 0
            require(
                hastyDeadlines < Self.hastyDeadlineLimit, .deadlineProgress,
                "a deadline was reached \(hastyDeadlines) times in a row and is still there: a busy loop")
        }
        for worker in roster {
            guard let instance = worker.instance else { continue }
            cover(instance.watchdog, .livenessClock, "the watchdog of \(worker.name)")
            for name in instance.checkpoints.keys.sorted() {
                cover(instance.checkpoints[name], .livenessClock, "the checkpoint \(name) of \(worker.name)")
            }
            cover(instance.startTimeout, .livenessClock, "the start timeout of \(worker.name)")
            cover(instance.stageDue, .boundedStop, "the stop of \(worker.name)")
            cover(instance.announcedStop, .boundedStop, "the announced stop of \(worker.name)")
        }
        for shown in status.workers where shown.nextAttempt != nil && shown.instance == nil && !isShuttingDown {
            if let next = shown.nextAttempt { cover(Due(next), .neverStuck, "the next start of \(shown.name)") }
        }
        for shown in status.supervisors where shown.nextAttempt != nil && !isShuttingDown {
            if let next = shown.nextAttempt { cover(Due(next), .neverStuck, "the next start of \(shown.name)") }
        }
        if isShuttingDown, !isComplete, !roster.contains(where: { $0.instance != nil }) {
            fail(.shutdownFinal, "everything is down, but the shutdown is not complete")
        }
    }

    private static let hastyDeadlineLimit = 4

    private func cover(_ due: Due?, _ invariant: Invariant, _ what: String) {
        guard let due, due.latest < Due.never else { return }
        require(
            nextDeadline.map { $0 <= due.latest } ?? false, invariant,
            "\(what) is due at \(due.latest.nanoseconds), but the tree sleeps until "
                + (nextDeadline.map { "\($0.nanoseconds)" } ?? "the next event"))
        if event == .deadlineReached, nextDeadline.map({ $0 > now }) ?? true {
            require(due.latest > now, invariant, "\(what) was due at \(due.latest.nanoseconds), and nothing was done")
        }
    }

    private func releaseFinishedGroups(_ status: TreeStatus) {
        for shown in status.supervisors where shown.state == .up && !isShuttingDown {
            supervisors[shown.name]?.stoppingSince = nil
            supervisors[shown.name]?.concernedFrom = .max
            supervisors[shown.name]?.isConcernUnknown = false
            supervisors[shown.name]?.hasMovedChildren = false
        }
    }
}
