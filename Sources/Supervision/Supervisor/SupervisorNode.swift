package import MonotonicTime

struct SupervisorID: RawRepresentable, Hashable, Sendable {
    let rawValue: Int
}

/// A child by identity.
enum Child: Hashable, Sendable {
    case worker(WorkerID)
    case supervisor(SupervisorID)
}

/// The supervisor's own state.
package enum SupervisorPhase: Equatable, Sendable {
    case down
    /// To be started by its parent's start sequence.
    case waiting
    case up
    /// Its restart intensity was exceeded; all children are down.
    case parked(until: MonotonicInstant?)
}

/// What follows once all children of a stop scope are down.
package enum ScopePurpose: Equatable, Sendable {
    /// Start them again, in order.
    case startAgain
    case park(retryAfter: Duration?)
    case escalate
    /// Stay down: the parent or a shutdown asks for it.
    case down
}

/// A supervisor in the tree.
struct SupervisorNode: Sendable {
    struct Entry: Sendable {
        let child: Child
        /// Has to come down, in reverse order, before anything of the scope is started again.
        var isInStopScope = false
    }

    let id: SupervisorID
    var name: String
    var strategy: RestartStrategy
    var intensity: RestartIntensity
    var onIntensityExceeded: IntensityReaction
    var parent: SupervisorID?
    var entries: [Entry] = []
    var phase: SupervisorPhase = .down
    /// A stop of some or all children is under way.
    var scope: ScopePurpose?
    /// Restarts made, oldest first; those older than the window are dropped when the next one is made. Children by name: a
    /// restart counts until it leaves the window, also when its child has left the tree.
    var restarts: [(child: String, at: MonotonicInstant)] = []
    /// Its next start is a restart after an escalation and counts in its parent's window.
    var owesRestart = false
    /// Start it whatever its predecessors are doing: it is its own restart.
    var skipsGate = false

    init(_ id: SupervisorID, _ specification: SupervisorSpecification, parent: SupervisorID?) {
        self.id = id
        self.name = specification.name
        self.strategy = specification.strategy
        self.intensity = specification.intensity
        self.onIntensityExceeded = specification.onIntensityExceeded
        self.parent = parent
    }

    mutating func adopt(_ specification: SupervisorSpecification) {
        strategy = specification.strategy
        intensity = specification.intensity
        onIntensityExceeded = specification.onIntensityExceeded
    }

    /// The children from `first` on.
    mutating func enterStopScope(from first: Int) {
        for index in entries.indices.dropFirst(first) { entries[index].isInStopScope = true }
    }

    func isInStopScope(_ child: Child) -> Bool {
        scope != nil && entries.contains { $0.child == child && $0.isInStopScope }
    }
}
