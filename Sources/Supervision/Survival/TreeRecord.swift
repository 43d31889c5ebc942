package import MonotonicTime

/// What the next supervisor has to know of a tree to carry on when this one is gone. Instants are those of the machine's
/// monotonic clock, so a record is worth nothing after a reboot, when no process is left either.
package struct TreeRecord: Equatable, Sendable {
    /// The last instance that was numbered: numbers are never used twice.
    package var lastInstance: UInt64
    package var isShuttingDown: Bool
    /// By name, as all references are: identities mean nothing to another tree.
    package var workers: [String: WorkerRecord]
    package var supervisors: [String: SupervisorRecord]

    package init(
        lastInstance: UInt64 = 0, isShuttingDown: Bool = false, workers: [String: WorkerRecord] = [:],
        supervisors: [String: SupervisorRecord] = [:]
    ) {
        self.lastInstance = lastInstance
        self.isShuttingDown = isShuttingDown
        self.workers = workers
        self.supervisors = supervisors
    }

    /// Brings the record up to date.
    package mutating func apply(_ changes: TreeChanges) {
        lastInstance = changes.lastInstance
        isShuttingDown = changes.isShuttingDown
        for name in changes.removedWorkers { workers[name] = nil }
        for name in changes.removedSupervisors { supervisors[name] = nil }
        for worker in changes.workers { workers[worker.name] = worker }
        for supervisor in changes.supervisors { supervisors[supervisor.name] = supervisor }
    }
}

/// What has changed in a tree since it was asked before. The removed go first: a name may be there again.
package struct TreeChanges: Equatable, Sendable {
    package var lastInstance: UInt64
    package var isShuttingDown: Bool
    package var removedWorkers: [String]
    package var removedSupervisors: [String]
    package var workers: [WorkerRecord]
    package var supervisors: [SupervisorRecord]

    package init(
        lastInstance: UInt64 = 0, isShuttingDown: Bool = false, removedWorkers: [String] = [],
        removedSupervisors: [String] = [], workers: [WorkerRecord] = [], supervisors: [SupervisorRecord] = []
    ) {
        self.lastInstance = lastInstance
        self.isShuttingDown = isShuttingDown
        self.removedWorkers = removedWorkers
        self.removedSupervisors = removedSupervisors
        self.workers = workers
        self.supervisors = supervisors
    }
}

/// A worker without its specification, which is read anew.
package struct WorkerRecord: Equatable, Sendable {
    package var name: String
    /// What its process was launched with: when the configuration now says something else, it has to be replaced.
    package var launch: LaunchFingerprint
    /// The watchdog that was configured, to tell whether that has changed.
    package var watchdog: Duration?
    package var phase: WorkerPhase
    package var isWanted: Bool
    package var pauseReasons: Set<PauseReason>
    package var failures: Int
    package var owesRestart: Bool
    package var notBefore: MonotonicInstant?
    package var skipsGate: Bool
    package var brokenSince: MonotonicInstant?
    package var restarts: Int
    package var lastExit: ExitStatus?
    package var lastFailure: FailureCause?
    /// It was removed from the configuration and is waited for.
    package var isDeparting: Bool
    /// How its process is to be stopped, should it be configured no longer, or otherwise; `nil` when it has none.
    package var stopPlan: StopPlan?
    package var watchdogSignal: Signal?

    package init(
        name: String, launch: LaunchFingerprint = LaunchFingerprint(""), watchdog: Duration? = nil,
        phase: WorkerPhase = .stopped, isWanted: Bool = true, pauseReasons: Set<PauseReason> = [], failures: Int = 0,
        owesRestart: Bool = false, notBefore: MonotonicInstant? = nil, skipsGate: Bool = false,
        brokenSince: MonotonicInstant? = nil, restarts: Int = 0, lastExit: ExitStatus? = nil,
        lastFailure: FailureCause? = nil, isDeparting: Bool = false, stopPlan: StopPlan? = nil,
        watchdogSignal: Signal? = nil
    ) {
        self.name = name
        self.launch = launch
        self.watchdog = watchdog
        self.phase = phase
        self.isWanted = isWanted
        self.pauseReasons = pauseReasons
        self.failures = failures
        self.owesRestart = owesRestart
        self.notBefore = notBefore
        self.skipsGate = skipsGate
        self.brokenSince = brokenSince
        self.restarts = restarts
        self.lastExit = lastExit
        self.lastFailure = lastFailure
        self.isDeparting = isDeparting
        self.stopPlan = stopPlan
        self.watchdogSignal = watchdogSignal
    }
}

/// A supervisor without its specification.
package struct SupervisorRecord: Equatable, Sendable {
    package var name: String
    package var phase: SupervisorPhase
    package var scope: ScopePurpose?
    /// Whether all children are in the stop scope, as in a shutdown.
    package var areAllScoped: Bool
    /// The children in the stop scope, if only some are.
    package var scoped: [String]
    package var restarts: [Restart]
    package var owesRestart: Bool
    package var skipsGate: Bool

    package struct Restart: Equatable, Sendable {
        package var child: String
        package var at: MonotonicInstant

        package init(child: String, at: MonotonicInstant) {
            self.child = child
            self.at = at
        }
    }

    package init(
        name: String, phase: SupervisorPhase = .down, scope: ScopePurpose? = nil,
        areAllScoped: Bool = false, scoped: [String] = [], restarts: [Restart] = [], owesRestart: Bool = false,
        skipsGate: Bool = false
    ) {
        self.name = name
        self.phase = phase
        self.scope = scope
        self.areAllScoped = areAllScoped
        self.scoped = scoped
        self.restarts = restarts
        self.owesRestart = owesRestart
        self.skipsGate = skipsGate
    }
}
