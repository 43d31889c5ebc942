/// A worker's place in the tree, from its first appearance in the configuration until it is removed; never reused.
package struct WorkerID: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static func < (left: WorkerID, right: WorkerID) -> Bool { left.rawValue < right.rawValue }
}

/// One process of a worker, from the order to spawn it until its whole group is gone; never reused. Events carry it so
/// that a late one cannot be mistaken for news of the next process.
package struct InstanceID: Hashable, Comparable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: InstanceID, right: InstanceID) -> Bool { left.rawValue < right.rawValue }
}

/// What has happened. Every event may come late, twice, or for a process that is long gone; the tree ignores those.
package enum Event: Equatable, Sendable {
    /// The runtime is up: start the tree.
    case started
    /// Stop everything in reverse order, then report `shutdownCompleted`.
    case shutdownRequested
    /// The program of the instance was executed.
    case spawned(WorkerID, InstanceID)
    /// No process came to be, or its program could not be executed. Nothing of the instance is left.
    case spawnFailed(WorkerID, InstanceID, SpawnFailure)
    /// The instance's main process ended. Others of its group may be left until `groupEmptied`.
    case exited(WorkerID, InstanceID, ExitStatus)
    /// No process of the instance is left.
    case groupEmptied(WorkerID, InstanceID)
    /// The instance said something on its notify socket.
    case notified(WorkerID, InstanceID, Notification)
    /// Time has come to `SupervisorTree.nextDeadline`. Early or superfluous calls are harmless.
    case deadlineReached
    case operatorRequested(WorkerID, OperatorRequest)
    case pauseRequested(WorkerID, PauseReason)
    case resumeRequested(WorkerID, PauseReason)
    /// A new, validated configuration: apply the difference.
    case reloaded(SupervisorSpecification)
    /// In place of `started`, and first of all, in a tree that was restored from a record.
    case resumed
    /// The supervisor before us died before it let the program of the instance go: nothing of it ever ran.
    case spawnInterrupted(WorkerID, InstanceID)
}

/// Why no process came to be.
package struct SpawnFailure: Equatable, Sendable {
    /// The step that failed, such as "exec", "chdir" or "clone".
    package var step: String
    /// The Linux error number (errno(3)).
    package var errno: Int32

    package init(step: String, errno: Int32) {
        self.step = step
        self.errno = errno
    }
}

/// How a process ended (wait(2)).
package enum ExitStatus: Hashable, Sendable {
    case exited(code: Int32)
    case signaled(Signal, coreDumped: Bool)
    /// The kernel no longer tells. Counts as a failure.
    case unknown

    package var isSuccess: Bool { self == .exited(code: 0) }
}

/// What a worker may say on its notify socket that matters for its supervision (sd_notify(3)), and what its probes say.
package enum Notification: Equatable, Sendable {
    case ready
    case watchdogPing
    /// `WATCHDOG=trigger`: the worker declares itself hung.
    case watchdogTriggered
    /// `WATCHDOG_USEC=`: the worker changes its own watchdog period.
    case watchdogPeriodChanged(Duration)
    case stopping
    case reloading
    /// `EXTEND_TIMEOUT_USEC=`: the start or stop under way may last until this long from now.
    case timeoutExtended(Duration)
    /// `HOLDFAST_CHECKPOINT=`: the worker has come past a point of its work that has a name.
    case checkpoint(String)
    /// Said by a prober, not by the worker: its probes have failed as often as is allowed, for this reason.
    case unhealthy(String)
}

package enum OperatorRequest: String, CaseIterable, Sendable {
    /// Want the worker; forget its failures.
    case start
    /// Stop the worker and do not want it any more.
    case stop
    /// Stop it when it runs, then start it; forget its failures.
    case restart
}

/// Why a worker is paused. A worker runs only while no reason holds.
package enum PauseReason: String, CaseIterable, Hashable, Comparable, Sendable {
    case `operator`
    case heat
    case memory
    case pressure

    /// Whether the device, not a person, asks for it. Essential workers are exempt.
    package var isShedding: Bool { self != .operator }

    package static func < (left: PauseReason, right: PauseReason) -> Bool { left.rawValue < right.rawValue }
}
