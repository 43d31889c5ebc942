/// A supervisor and its children in the order in which they are declared: they start in that order and stop in reverse.
package struct SupervisorSpecification: Equatable, Sendable {
    /// Unique among all workers and supervisors of the tree.
    package var name: String
    package var strategy: RestartStrategy
    package var intensity: RestartIntensity
    package var onIntensityExceeded: IntensityReaction
    package var children: [ChildSpecification]

    package init(
        name: String,
        strategy: RestartStrategy = .oneForOne,
        intensity: RestartIntensity = RestartIntensity(),
        onIntensityExceeded: IntensityReaction = .park(retryAfter: .seconds(300)),
        children: [ChildSpecification] = []
    ) {
        self.name = name
        self.strategy = strategy
        self.intensity = intensity
        self.onIntensityExceeded = onIntensityExceeded
        self.children = children
    }

    /// The name of the root of every tree.
    package static let rootName = "root"
    /// The name of the built-in supervisor of Holdfast's own processes.
    package static let systemName = "system"
}

/// A child of a supervisor.
package enum ChildSpecification: Equatable, Sendable {
    case worker(WorkerSpecification)
    case supervisor(SupervisorSpecification)
}

/// Which siblings are restarted together with a failed child (Erlang/OTP, supervisor behaviour).
package enum RestartStrategy: String, CaseIterable, Sendable {
    /// None: the failed child alone.
    case oneForOne = "one-for-one"
    /// All of them.
    case oneForAll = "one-for-all"
    /// Those declared after the failed child.
    case restForOne = "rest-for-one"
}

/// At most `maxRestarts` restarts of children within any period of `within`, counted when each restart is made, so that
/// waiting in back-off is not a restart.
package struct RestartIntensity: Equatable, Sendable {
    package var maxRestarts: Int
    package var within: Duration
    /// `shared`: all children draw on one allowance, as in OTP. `perChild`: each child has its own, and exceeding it
    /// parks that child alone: the rule for the root and `system`, which must never stop healthy children.
    package var scope: Scope

    package enum Scope: Sendable {
        case shared
        case perChild
    }

    package init(maxRestarts: Int = 10, within: Duration = .seconds(60), scope: Scope = .shared) {
        self.maxRestarts = maxRestarts
        self.within = within
        self.scope = scope
    }
}

/// What a supervisor does when its restart intensity would be exceeded.
package enum IntensityReaction: Equatable, Sendable {
    /// Stop all children in reverse order and start them again after `retryAfter` (`nil`: only when an operator asks).
    case park(retryAfter: Duration?)
    /// Stop all children and fail, so that the parent's strategy decides.
    case escalate
}
