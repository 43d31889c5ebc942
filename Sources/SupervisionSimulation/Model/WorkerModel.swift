import MonotonicTime
import Supervision

/// What an observer knows of one worker.
final class WorkerModel {
    /// Another one in the tree of each supervisor.
    var id: WorkerID
    var specification: WorkerSpecification
    /// Nearest first, the root last.
    var chain: [SupervisorModel] = []
    /// When a reload last put it under another supervisor.
    var movedInStep = 0
    /// Place in tree order.
    var position = 0
    var isWanted: Bool
    var isRemoved = false
    var isForgotten = false
    var reasons: Set<PauseReason> = []
    var instance: InstanceModel?
    var lastEnd = End.none
    /// When the last process failed, and when nothing was left of it.
    var failedAt = MonotonicInstant.zero
    var goneAt: MonotonicInstant?
    /// The failure that is still to be reported, and of which process.
    var unreported: (causes: [FailureCause], instance: InstanceID)?
    /// Failures in a row without a stable run: a range where the specification leaves a choice.
    var failuresLow = 0
    var failuresHigh = 0
    /// Restarts after failures over its whole life: a range as well.
    var restarts = 0...0
    /// Something other than the worker's own failure may start it: a request, a reload, its group, an unpark.
    var hasOtherCause = true
    /// A failure that may be reported although the process was asked to go when it was over.
    var reportable: (causes: [FailureCause], instance: InstanceID)?
    /// An operator asked for its start, which neither order nor gates hold up.
    var isOnRequest = false
    /// The time for its own restart came while it was held, and that restart is made once no reason holds any more; or its
    /// start was interrupted, and is repeated.
    var isRetryDue = false
    /// Parked alone by a per-child intensity.
    var parkedAlone = false
    /// As last reported, up to the action at hand, or shown; a removed worker is shown no more.
    var reportedState: WorkerState?
    /// As shown after the previous event.
    var shown: WorkerStatus?

    enum End {
        case none
        /// As it was told to.
        case asked
        /// By itself, and the policy restarts it.
        case failed
        /// By itself, and the policy leaves it down.
        case left(success: Bool)
    }

    init(id: WorkerID, specification: WorkerSpecification) {
        self.id = id
        self.specification = specification
        isWanted = specification.startsAutomatically
    }

    var name: String { specification.name }
    var supervisor: SupervisorModel? { chain.first }

    func forgetFailures() {
        failuresLow = 0
        failuresHigh = 0
    }

    /// The waits that the back-off may impose, for the failures so far.
    var waits: ClosedRange<Duration> {
        let backoff = specification.backoff
        let shortest = Self.wait(backoff, failures: failuresLow)
        let longest = Self.wait(backoff, failures: failuresHigh)
        return shortest * (1 - backoff.jitter) - .nanoseconds(1)...longest + .nanoseconds(1)
    }

    private static func wait(_ backoff: Backoff, failures: Int) -> Duration {
        guard failures >= 2 else { return .zero }
        var wait = backoff.initial
        for _ in 2..<failures where wait < backoff.maximum { wait = wait * 2 }
        return min(wait, backoff.maximum)
    }
}
