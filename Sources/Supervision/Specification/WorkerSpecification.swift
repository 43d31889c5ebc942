/// What the supervisor tree must know of a worker in order to keep it alive. How the process is launched (command,
/// user, environment) is the shell's business and appears here only as a fingerprint.
package struct WorkerSpecification: Equatable, Sendable {
    /// Unique among all workers and supervisors of the tree.
    package var name: String
    package var restart: RestartPolicy
    /// An essential worker is never shed: only an operator may pause it.
    package var isEssential: Bool
    package var readiness: Readiness
    /// What its predecessors in the same supervisor must have reached before this worker is started in sequence.
    package var startGate: StartGate
    /// How long the worker may take from its spawn to being ready; a fresh period after a pause.
    package var startTimeout: Duration
    /// The longest silence between two watchdog pings; `nil` when the worker sends none.
    package var watchdog: Duration?
    /// The longest time between two checkpoints of one name. Each is watched from its first one on, while the worker is
    /// ready and not paused.
    package var checkpoints: [String: Duration]
    /// Sent when the watchdog, a checkpoint, a probe or the start timeout strikes. A kill, the default, recovers fastest; with any other signal
    /// (`abort`, for a core file) the worker gets the grace of the stop plan's first step before it is killed.
    package var watchdogSignal: Signal
    package var backoff: Backoff
    package var attempts: AttemptLimit
    package var stopPlan: StopPlan
    /// Whether the worker is wanted as soon as its supervisor is up; otherwise it waits for an operator's `start`.
    package var startsAutomatically: Bool
    /// Changes exactly when the process has to be replaced for a new configuration to take effect.
    package var launch: LaunchFingerprint

    package init(
        name: String,
        restart: RestartPolicy = .always,
        isEssential: Bool = false,
        readiness: Readiness = .started,
        startGate: StartGate = .previousStarted,
        startTimeout: Duration = .seconds(30),
        watchdog: Duration? = nil,
        checkpoints: [String: Duration] = [:],
        watchdogSignal: Signal = .kill,
        backoff: Backoff = Backoff(),
        attempts: AttemptLimit = AttemptLimit(),
        stopPlan: StopPlan = StopPlan(),
        startsAutomatically: Bool = true,
        launch: LaunchFingerprint = LaunchFingerprint("")
    ) {
        self.name = name
        self.restart = restart
        self.isEssential = isEssential
        self.readiness = readiness
        self.startGate = startGate
        self.startTimeout = startTimeout
        self.watchdog = watchdog
        self.checkpoints = checkpoints
        self.watchdogSignal = watchdogSignal
        self.backoff = backoff
        self.attempts = attempts
        self.stopPlan = stopPlan
        self.startsAutomatically = startsAutomatically
        self.launch = launch
    }
}

/// What to do when a worker ends by itself.
package enum RestartPolicy: String, CaseIterable, Sendable {
    /// Restart it however it ended.
    case always
    /// Restart it unless it exited with status 0.
    case onFailure = "on-failure"
    /// Leave it: `finished` after status 0, `failed` otherwise.
    case never
}

/// When a started worker counts as ready.
package enum Readiness: String, CaseIterable, Sendable {
    /// When it sends `READY=1` to its notify socket.
    case notify
    /// When its program has been executed.
    case started
}

/// What a worker's predecessors in the same supervisor must have reached before it is started in sequence.
package enum StartGate: String, CaseIterable, Sendable {
    case previousStarted = "previous-started"
    case previousReady = "previous-ready"
}

/// Exponential back-off between restarts. The first restart comes at once, the second after `initial`, and each
/// further one after twice the wait, up to `maximum`; `stableAfter` of good running forgets all failures.
package struct Backoff: Equatable, Sendable {
    package var initial: Duration
    package var maximum: Duration
    /// The share of each wait that is random, from 0 (none) to 1: a wait w becomes w * (1 - jitter ... 1).
    package var jitter: Double
    package var stableAfter: Duration

    package init(
        initial: Duration = .milliseconds(100), maximum: Duration = .seconds(30), jitter: Double = 0.2,
        stableAfter: Duration = .seconds(10)
    ) {
        self.initial = initial
        self.maximum = maximum
        self.jitter = jitter
        self.stableAfter = stableAfter
    }
}

/// How many restarts in a row, without a stable run between them, a worker gets before it is given up as `failed`.
package struct AttemptLimit: Equatable, Sendable {
    /// `nil` for no limit: the back-off's maximum is then the slowest schedule.
    package var maximum: Int?
    /// How long after giving up the next single try comes; `nil` for never.
    package var retryAfterGivingUp: Duration?

    package init(maximum: Int? = nil, retryAfterGivingUp: Duration? = .seconds(300)) {
        self.maximum = maximum
        self.retryAfterGivingUp = retryAfterGivingUp
    }
}

/// How a worker is stopped: each step signals its whole group and waits; a kill of the group always ends the plan.
package struct StopPlan: Equatable, Sendable {
    package struct Step: Equatable, Sendable {
        package var signal: Signal
        package var grace: Duration

        package init(signal: Signal, grace: Duration) {
            self.signal = signal
            self.grace = grace
        }
    }

    package var steps: [Step]
    /// How long a killed group may take to disappear (an uninterruptible read, say) before it is abandoned and
    /// reported; it can run no more code of its own by then.
    package var killGrace: Duration

    package init(
        steps: [Step] = [Step(signal: .terminate, grace: .seconds(10))], killGrace: Duration = .seconds(5)
    ) {
        self.steps = steps
        self.killGrace = killGrace
    }

    /// The longest that a stop by this plan can take.
    package var longest: Duration {
        steps.reduce(killGrace) { $0 + $1.grace }
    }
}

/// A signal by its Linux number (signal(7)); the pure core imports no OS module to name them.
package struct Signal: RawRepresentable, Hashable, Sendable {
    package var rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let hangUp = Signal(rawValue: 1)
    package static let interrupt = Signal(rawValue: 2)
    package static let quit = Signal(rawValue: 3)
    package static let abort = Signal(rawValue: 6)
    package static let kill = Signal(rawValue: 9)
    package static let terminate = Signal(rawValue: 15)
    package static let `continue` = Signal(rawValue: 18)
    package static let stop = Signal(rawValue: 19)
}

/// An opaque digest of everything that is fixed at the launch of a process.
package struct LaunchFingerprint: Hashable, Sendable {
    package var digest: String

    package init(_ digest: String) {
        self.digest = digest
    }
}
