package import MonotonicTime

/// A snapshot of the tree for status reports. Instants are on the tree's clock.
package struct TreeStatus: Equatable, Sendable {
    /// In tree order: parents before children, the root first.
    package var supervisors: [SupervisorStatus]
    /// In tree order.
    package var workers: [WorkerStatus]
}

package struct SupervisorStatus: Equatable, Sendable {
    package enum State: String, Sendable {
        case up
        /// Stopping some or all children in reverse.
        case stopping
        case parked
        case down
    }

    package var name: String
    package var parent: String?
    package var strategy: RestartStrategy
    package var intensity: RestartIntensity
    /// Of all children together, or with the per-child scope of the one that has used most of its allowance.
    package var restartsInWindow: Int
    package var state: State
    /// When a parked supervisor starts its children again; also of a supervisor that is down below it.
    package var nextAttempt: MonotonicInstant?
    /// Names of the children, in declared order.
    package var children: [String]
}

package struct WorkerStatus: Equatable, Sendable {
    package var id: WorkerID
    package var name: String
    package var supervisor: String
    package var state: WorkerState
    /// The current process, if there is one.
    package var instance: InstanceID?
    package var isReady: Bool
    package var isEssential: Bool
    /// Restarts after failures, over the worker's whole life.
    package var restarts: Int
    /// Sorted.
    package var pauseReasons: [PauseReason]
    /// Why a wanted worker is not started: a pause reason, "after NAME" for the predecessor it waits for, or what has
    /// happened to a supervisor.
    package var heldFor: String?
    /// When the next start will be tried.
    package var nextAttempt: MonotonicInstant?
    /// `nil` when there is no limit.
    package var attemptsLeft: Int?
    /// When the failures so far will be forgotten, if the worker keeps running until then.
    package var failuresForgottenAt: MonotonicInstant?
    /// How the last process ended, and why if the supervisor ended it.
    package var lastFailure: FailureCause?
    package var lastExit: ExitStatus?
    /// When the current process was spawned.
    package var startedAt: MonotonicInstant?
}
