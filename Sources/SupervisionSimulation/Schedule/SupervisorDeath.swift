package import Supervision

/// A death of the supervisor (SIGKILL, or a crash of its own), and what the next one finds.
package struct SupervisorDeath: Equatable, Sendable {
    /// Which wake-up it falls into.
    package enum Moment: Sendable, Equatable {
        /// None: it dies between two of them.
        case asleep
        /// The next one, whatever that is about.
        case nextWakeUp
        /// The next one in which the tree orders anything done.
        case nextWork
    }

    /// How far the wake-up gets if it has fewer orders than `ordersPerformed`.
    package enum Stage: CaseIterable, Sendable {
        case beforeRecord
        /// The record is written, but no child that was cloned is let go.
        case beforeLettingGo
        case atEnd
    }

    package var moment: Moment
    /// How many orders of that wake-up are carried out; `nil` for all.
    package var ordersPerformed: Int?
    /// A record is written in the middle of the wake-up, after so many orders: of everything that the tree has decided by
    /// then, be it carried out or not.
    package var recordedAfter: Int?
    package var stage: Stage
    /// The shell is stalled before it, so that several events fall into the wake-up.
    package var stall: Duration
    /// How long nobody supervises.
    package var gap: Duration
    /// The configuration that the next supervisor reads, when it has been changed meanwhile.
    package var configuration: SupervisorSpecification?
    /// Whether descriptors outlive it (systemd's fd store): what workers say meanwhile arrives late, and the kernel tells
    /// how they ended. Otherwise both are lost.
    package var keepsDescriptors: Bool
    /// A process that is killed in the gap: the number picks which.
    package var victim: UInt64?
    /// A worker that the next supervisor replaces at once, as one that cannot be taken over: the number picks which.
    package var replaced: UInt64?
}
