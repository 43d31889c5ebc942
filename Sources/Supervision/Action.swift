/// What the shell must do, in order. Each action names one instance; the shell ignores those that are gone.
package enum Action: Equatable, Sendable {
    /// Start a process; answer with `spawned` or `spawnFailed`, later `exited` and `groupEmptied`.
    case spawn(WorkerID, InstanceID)
    /// Signal every process of the instance's group.
    case signalGroup(WorkerID, InstanceID, Signal)
    /// Kill every process of the instance's group; `groupEmptied` must follow once they are gone.
    case killGroup(WorkerID, InstanceID)
    /// Stop every process of the group without its consent: the cgroup freezer, or SIGSTOP.
    case freezeGroup(WorkerID, InstanceID)
    /// Undo `freezeGroup`: thaw, and SIGCONT.
    case thawGroup(WorkerID, InstanceID)
    /// Killed, but not gone in time: forget the instance. What is left of it can run no code of its own.
    case abandonGroup(WorkerID, InstanceID)
    /// The worker was removed by a reload and is down: release what belongs to it.
    case forgetWorker(WorkerID)
    case report(Report)
    /// Everything is down after `shutdownRequested`.
    case completeShutdown
}

/// What the tree did and why, for events, incidents and logs. Structured here, formatted by the shell.
package enum Report: Equatable, Sendable {
    case workerChanged(WorkerID, from: WorkerState, to: WorkerState)
    /// The worker ended, or had to be ended, without having been asked to: an incident opens. `exit` is how its main
    /// process ended, whatever the cause; `nil` when none came to be.
    case workerFailed(
        WorkerID, InstanceID, FailureCause, exit: ExitStatus?, ranFor: Duration, consequence: Consequence)
    /// The worker is ready again after a failure.
    case workerRecovered(WorkerID, InstanceID, after: Duration)
    /// Siblings are restarted along with a failed child.
    case groupRestarted(supervisor: String, because: String)
    /// A restart was refused; the reaction takes its place, also for a worker whose failure was reported long before.
    case intensityExceeded(supervisor: String, refused: RefusedRestart, reaction: IntensityReaction)
    case supervisorRetried(supervisor: String)
    /// The kill of a group did not end it in time.
    case groupAbandoned(WorkerID, InstanceID)
    case reloaded(ReloadSummary)
}

/// The restart that a supervisor's intensity does not allow.
package struct RefusedRestart: Equatable, Sendable {
    /// Name of the worker or supervisor that was to be restarted.
    package var child: String
    /// The child, if it is a worker.
    package var worker: WorkerID?
    /// What the supervisor allows.
    package var intensity: RestartIntensity

    package init(child: String, worker: WorkerID? = nil, intensity: RestartIntensity) {
        self.child = child
        self.worker = worker
        self.intensity = intensity
    }
}

/// Why a worker failed.
package enum FailureCause: Equatable, Sendable {
    case exited(ExitStatus)
    case spawnFailed(SpawnFailure)
    case startTimedOut
    case watchdogTimedOut
    /// The worker itself asked for it by `WATCHDOG=trigger`.
    case watchdogTriggered
    /// The checkpoint of this name did not come again within the time that it may take.
    case checkpointMissed(String, within: Duration)
    /// Its probes failed, for this reason.
    case unhealthy(String)
}

/// What follows a failure.
package enum Consequence: Equatable, Sendable {
    case restartedAtOnce
    case restartAfter(Duration)
    /// Restarted with its siblings by the supervisor's strategy.
    case restartedWithGroup
    /// Wanted, but paused for a reason: it starts when the reason is gone.
    case held
    /// Given up; the next try comes after the duration, or never.
    case gaveUp(retryAfter: Duration?)
    /// The supervisor's restart intensity would be exceeded.
    case supervisorParked
    case supervisorEscalated
    /// By its restart policy, or because it was to be stopped anyway.
    case leftDown
}

extension Consequence {
    /// What becomes of a failed worker when its restart is refused.
    package init(refusedBy scope: RestartIntensity.Scope, _ reaction: IntensityReaction) {
        switch (reaction, scope) {
        case (.park(let retryAfter), .perChild): self = .gaveUp(retryAfter: retryAfter)
        case (.park, .shared): self = .supervisorParked
        case (.escalate, _): self = .supervisorEscalated
        }
    }
}

/// What a reload changed, by worker name.
package struct ReloadSummary: Equatable, Sendable {
    package var added: [String] = []
    package var removed: [String] = []
    /// Their process has to be replaced.
    package var restarted: [String] = []
    /// Their policy changed; the process stays.
    package var adjusted: [String] = []
    package var unchanged: [String] = []

    package init() {}
}
