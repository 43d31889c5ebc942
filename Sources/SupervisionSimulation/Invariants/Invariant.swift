/// What must hold after every event. The first eight are the design's, by its numbers; the others follow from the
/// vocabulary of `Action` and `Event`.
package enum Invariant: String, CaseIterable, Sendable {
    /// 1. At most one live process per worker; instance ids are fresh.
    case singleInstance = "single-instance"
    /// 2. Whatever was spawned is cleaned up with its whole group, or given up on in the open.
    case groupReaped = "group-reaped"
    /// 3. A wanted worker is up, held for a named reason, has a timer, or has visibly failed.
    case neverStuck = "never-stuck"
    /// 4. A stop follows its plan and ends in time.
    case boundedStop = "bounded-stop"
    /// 5. Essential workers are never shed.
    case essentialNotShed = "essential-not-shed"
    /// 6. Paused, or held, exactly while a reason holds.
    case pausedWithReason = "paused-with-reason"
    /// 7. Restart intensity is kept, and the reaction comes only when it would be exceeded.
    case restartIntensity = "restart-intensity"
    /// 8. Watchdog, checkpoints and start timeout strike when they must and not before; paused time does not count.
    case livenessClock = "liveness-clock"
    /// Children start in declared order.
    case startOrder = "start-order"
    /// Children stop in reverse order, each once its successors are down.
    case stopOrder = "stop-order"
    /// A gated worker starts only after its predecessors are ready.
    case startGate = "start-gate"
    /// Actions name live instances only.
    case liveTarget = "live-target"
    /// Every terminating signal is followed by SIGCONT, and a frozen group is thawed first.
    case continueAfterSignal = "continue-after-signal"
    /// Nobody is stopped, and no group restarted, without a cause.
    case explainedStop = "explained-stop"
    /// Restart policy, back-off and attempts decide whether and when a failed worker comes back.
    case restartPolicy = "restart-policy"
    /// A deadline that is reached is used up, and none is missing.
    case deadlineProgress = "deadline-progress"
    /// Duplicate, late, stray and superfluous events change nothing.
    case strayIgnored = "stray-ignored"
    /// After a shutdown request nothing starts, and completion comes once, when all are down.
    case shutdownFinal = "shutdown-final"
    /// The status agrees with the actions, and reports link one status to the next.
    case statusConsistent = "status-consistent"
    /// A reload changes what it must and forgets what was removed.
    case reloadApplied = "reload-applied"
    /// A supervisor that takes over finds everything as the one before it left it.
    case recordKept = "record-kept"
    /// Once all faults have ceased, everything comes to rest.
    case convergence
}

/// An invariant that did not hold.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    package var invariant: Invariant
    /// What was seen and what was expected.
    package var explanation: String

    package var description: String { "\(invariant.rawValue): \(explanation)" }
}
