import MonotonicTime
import Supervision

/// What an observer knows of one process: the orders given for it and the news delivered of it.
final class InstanceModel {
    let id: InstanceID
    let orderedAt: MonotonicInstant
    var orderedInStep = 0
    var spawnedAt: MonotonicInstant?
    var exitedAt: MonotonicInstant?
    /// How it ended by itself.
    var exitCause: FailureCause?
    var isReady = false
    var isFrozen = false
    /// The instant from which running counts as stable: ready, or the last resume since; `nil` while it does not.
    var stableSince: MonotonicInstant?
    /// Ready time before the last pause; whether it counts for stability is left open.
    var earlierReadyTime = Duration.zero
    /// A request, a reload or a removal says that this process has to go.
    var isToBeStopped = false
    /// It said STOPPING=1, and must be gone by then.
    var announcedStop: Due?
    /// It said so, whatever has become of it.
    var hasAnnouncedStop = false
    /// It was killed for not coming to the end it had announced, and the next supervisor waits for that once more.
    var isAwaitedAgain = false
    /// It said so before it was frozen.
    var announcesStopOnceThawed = false
    /// The supervisor found it hung.
    var strike: FailureCause?
    /// What else it may have been, where several clocks were due.
    var otherStrikes: [FailureCause] = []
    /// Its probes have just found it unhealthy, and it is not on its way down yet.
    var isStrikeOwed = false
    var ending = Ending.none
    /// What had been done to end it when its supervisor died: the next one does it again from the beginning.
    var formerEnding = Ending.none
    /// What its stop began with.
    var firstSignal: Signal?
    /// Its stop plan ended in the kill.
    var wasKilledOnRequest = false
    /// What ended it may have been its own failure or a stop of its group: both fell together.
    var isAmbiguous = false
    /// When the stage of the ending is over.
    var stageDue: Due?
    /// Watchdog period that the worker asked for itself.
    var ownWatchdogPeriod: Duration?
    var watchdog: Due?
    var startTimeout: Due?
    /// The checkpoints that it has come past, and when each has to come again, if it has to.
    var knownCheckpoints: Set<String> = []
    var checkpoints: [String: Due] = [:]
    /// What the clocks were before the event at hand changed them: they may strike all the same.
    var formerWatchdog: Due?
    var formerStartTimeout: Due?
    var formerCheckpoints: [String: Due] = [:]
    var formerAnnouncedStop: Due?
    /// Several when a reload changed the worker under the process.
    var specifications: [WorkerSpecification]
    /// Whether its run was stable: surely, possibly.
    var isStable = (surely: false, possibly: false)

    enum Ending: Equatable {
        case none
        case step(Int)
        /// After the signal of a strike.
        case struck
        case killed
    }

    init(id: InstanceID, orderedAt: MonotonicInstant, specification: WorkerSpecification) {
        self.id = id
        self.orderedAt = orderedAt
        specifications = [specification]
    }

    /// The process runs and nothing has been done to end it.
    var isUp: Bool { spawnedAt != nil && exitedAt == nil && ending == .none }

    /// Forgets clocks that no longer run.
    func stopClocks() {
        watchdog = nil
        checkpoints = [:]
        startTimeout = nil
        stableSince = nil
    }

    /// A time that each specification of this process's life gives.
    func due(after now: MonotonicInstant, _ period: (WorkerSpecification) -> Duration?) -> Due? {
        var range: Due?
        var isOptional = false
        for specification in specifications {
            guard let length = period(specification) else {
                isOptional = true
                continue
            }
            let exact = Due(now.advanced(by: length))
            range = range.map { $0.widened(by: exact) } ?? exact
        }
        if isOptional { range?.latest = Due.never }
        return range
    }
}
