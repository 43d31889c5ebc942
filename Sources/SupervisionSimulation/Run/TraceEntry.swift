package import MonotonicTime
package import Supervision

/// Something that happened to the tree in a run.
package enum TraceEntry: Sendable {
    case step(Observation, before: TreeStatus)
    /// The supervisor died before it was recorded: to the next one it has never happened, though its orders may have been
    /// carried out.
    case lost(Observation, before: TreeStatus)
    case death(MonotonicInstant)
    case handover(Handover)
}
