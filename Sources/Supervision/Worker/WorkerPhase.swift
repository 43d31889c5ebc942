package import MonotonicTime

/// The worker state machine's own state. `WorkerState` is what people see of it.
package enum WorkerPhase: Equatable, Sendable {
    /// Down, and not to be started: not wanted, or its supervisor is down.
    case stopped
    /// Down, to be started by its supervisor's start sequence.
    case waiting
    /// Down and wanted, as long as a pause reason holds.
    case held
    /// A process is ordered, its program not yet known to run.
    case starting(LiveInstance)
    /// The program runs and is not ready.
    case running(LiveInstance)
    case ready(LiveInstance)
    /// The group is frozen.
    case paused(LiveInstance)
    /// On its way down, or down with its group still being cleaned up.
    case stopping(LiveInstance, Stop)
    case backingOff(until: MonotonicInstant)
    case failed(retryAt: MonotonicInstant?)
    case finished

    package var state: WorkerState {
        switch self {
        case .stopped: .stopped
        case .waiting: .waiting
        case .held: .held
        case .starting: .starting
        case .running: .running
        case .ready: .ready
        case .paused: .paused
        case .stopping: .stopping
        case .backingOff: .backingOff
        case .failed: .failed
        case .finished: .finished
        }
    }

    /// The instance whose processes may exist.
    package var instance: LiveInstance? {
        switch self {
        case .starting(let live), .running(let live), .ready(let live), .paused(let live), .stopping(let live, _): live
        case .stopped, .waiting, .held, .backingOff, .failed, .finished: nil
        }
    }

    package var isDown: Bool { instance == nil }
}

/// One process of a worker and its clocks.
package struct LiveInstance: Equatable, Sendable {
    package let id: InstanceID
    package let spawnedAt: MonotonicInstant
    /// It has been ready; a pause does not undo that.
    package var wasReady = false
    /// It said `STOPPING=1` before it was frozen.
    package var hasAnnouncedStop = false
    /// Until when it has to be ready. Suspended by a pause.
    package var startDeadline: MonotonicInstant
    package var watchdogPeriod: Duration?
    /// Until when the next ping has to come. Armed only while ready and not paused.
    package var watchdogDeadline: MonotonicInstant?
    /// The checkpoints that it has come past at least once, by name and sorted.
    package var checkpoints: [Checkpoint] = []
    /// When its run counts as stable. Armed only while ready, not paused, and with failures to forget.
    package var stableAt: MonotonicInstant?
    /// What is missing to a stable run; kept over pauses, so that paused time never counts as stability.
    package var stabilityRemaining: Duration

    package init(
        id: InstanceID, spawnedAt: MonotonicInstant, wasReady: Bool = false, hasAnnouncedStop: Bool = false,
        startDeadline: MonotonicInstant, watchdogPeriod: Duration?, stabilityRemaining: Duration
    ) {
        self.id = id
        self.spawnedAt = spawnedAt
        self.wasReady = wasReady
        self.hasAnnouncedStop = hasAnnouncedStop
        self.startDeadline = startDeadline
        self.watchdogPeriod = watchdogPeriod
        self.stabilityRemaining = stabilityRemaining
    }

    /// A point of the worker's work that it has to come past again and again.
    package struct Checkpoint: Equatable, Sendable {
        package let name: String
        /// Until when it has to come past it again. Armed only while ready and not paused.
        package var deadline: MonotonicInstant?

        package init(_ name: String, deadline: MonotonicInstant? = nil) {
            self.name = name
            self.deadline = deadline
        }
    }

    /// The first checkpoint to be missed; of several at one instant the first by name.
    var nextCheckpoint: (name: String, deadline: MonotonicInstant)? {
        var next: (name: String, deadline: MonotonicInstant)?
        for checkpoint in checkpoints {
            guard let deadline = checkpoint.deadline, next.map({ deadline < $0.deadline }) ?? true else { continue }
            next = (checkpoint.name, deadline)
        }
        return next
    }

    /// It has come past a checkpoint.
    mutating func reach(_ name: String, again deadline: MonotonicInstant?) {
        let index = checkpoints.firstIndex { $0.name >= name } ?? checkpoints.endIndex
        if index == checkpoints.endIndex || checkpoints[index].name != name {
            checkpoints.insert(Checkpoint(name), at: index)
        }
        checkpoints[index].deadline = deadline
    }

    /// Nothing is expected at any of them for now.
    mutating func suspendCheckpoints() {
        for index in checkpoints.indices { checkpoints[index].deadline = nil }
    }
}

/// A stop under way.
package struct Stop: Equatable, Sendable {
    package enum Purpose: Equatable, Sendable {
        /// An operator, the supervisor or a reload asked for it: no failure.
        case requested
        /// The supervisor ends it for a failure.
        case failure(FailureCause)
        /// The worker announced it with `STOPPING=1`.
        case announced
        /// The worker ended by itself; its group is being cleaned up.
        case ended
    }

    package var purpose: Purpose
    /// A stop was requested after the failure that `purpose` tells of: that one is reported, and then it goes as requested.
    package var isRequestedToo = false
    package let begunAt: MonotonicInstant
    /// The signals of this stop. A reload may have changed the worker's plan since: what runs is stopped by the old one.
    package let steps: [StopPlan.Step]
    /// Those still to be sent, each when the grace of the one before is over.
    package var remainingSteps: [StopPlan.Step]
    package let killGrace: Duration
    package var isKilled = false
    /// When the next step is due.
    package var deadline: MonotonicInstant
    /// How the main process ended, once it has.
    package var exit: ExitStatus?
    package var endedAt: MonotonicInstant?

    package init(
        purpose: Purpose, isRequestedToo: Bool = false, begunAt: MonotonicInstant,
        steps: [StopPlan.Step] = [], killGrace: Duration, isKilled: Bool = false, deadline: MonotonicInstant,
        exit: ExitStatus? = nil, endedAt: MonotonicInstant? = nil
    ) {
        self.purpose = purpose
        self.isRequestedToo = isRequestedToo
        self.begunAt = begunAt
        self.steps = steps
        remainingSteps = steps
        self.killGrace = killGrace
        self.isKilled = isKilled
        self.deadline = deadline
        self.exit = exit
        self.endedAt = endedAt
    }
}
