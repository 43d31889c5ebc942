package import MonotonicTime

/// The supervisor tree: what must run, what to do when it does not. Pure: events go in, actions come out, time is an
/// argument. The shell performs the actions in order and reports what came of them as further events.
package struct SupervisorTree: Sendable {
    /// - Parameters:
    ///   - root: the whole tree; its name is `SupervisorSpecification.rootName`.
    ///   - seed: of the back-off jitter; the same seed and events give the same actions.
    package init(_ root: SupervisorSpecification, seed: UInt64) {
    }

    /// When `deadlineReached` must be delivered next; `nil` for never.
    package var nextDeadline: MonotonicInstant? { nil }

    package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Action] { [] }

    package func status(at now: MonotonicInstant) -> TreeStatus { TreeStatus(supervisors: [], workers: []) }

    /// The identity of the worker with this name.
    package func worker(named name: String) -> WorkerID? { nil }

    /// The specification that the worker runs under.
    package func specification(of worker: WorkerID) -> WorkerSpecification? { nil }
}
