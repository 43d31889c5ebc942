package import Supervision

/// Something that happens to the tree from outside, at an instant fixed by the schedule. Workers go by name, so that
/// a schedule stays meaningful when other stimuli are taken out of it.
package enum Stimulus: Equatable, Sendable {
    case operatorRequest(String, OperatorRequest)
    case pause(String, PauseReason)
    case resume(String, PauseReason)
    case reload(SupervisorSpecification)
    case shutdown
    /// The shell gets no processor (suspend, a stalled card) for so long: everything due meanwhile is delivered late.
    case stall(Duration)
    /// `deadlineReached` although no deadline has been reached.
    case earlyDeadline
    /// An event that was delivered before is delivered again; the number picks which.
    case repeatedEvent(UInt64)
    /// An event for a worker or an instance that never existed; the number picks which.
    case strayEvent(UInt64)
    /// The supervisor dies, and another one takes its place.
    case death(SupervisorDeath)
}

/// A stimulus and when it comes.
package struct TimedStimulus: Equatable, Sendable {
    /// Since the start of the schedule.
    package var offset: Duration
    package var stimulus: Stimulus
}
