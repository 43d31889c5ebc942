/// A deployment as it is kept on disk. Its state is written before the step that it names is begun, so whoever finds it after
/// a power cut knows what may have been done and what has not.
package struct DeploymentRecord: Hashable, Sendable {
    package enum State: String, CaseIterable, Hashable, Sendable {
        /// Nothing that runs is touched up to `staged`.
        case downloading, verifying, unpacking
        /// Complete on disk.
        case staged
        /// What is current is about to change, or has just changed.
        case activating
        /// It runs, and has to prove itself.
        case probation
        /// It has. The only success there is.
        case committed
        /// It has not: an earlier version is taken back.
        case reverting
        /// An earlier version runs again.
        case rolledBack = "rolled_back"
        /// Nothing was changed, or nothing was left to go back to.
        case failed

        package var isEnd: Bool {
            switch self {
            case .committed, .rolledBack, .failed: true
            case .downloading, .verifying, .unpacking, .staged, .activating, .probation, .reverting: false
            }
        }

    }

    package enum Purpose: String, CaseIterable, Hashable, Sendable {
        case deploy, rollback
        /// A version that was good is not any more.
        case recovery
    }

    /// Given by whoever ordered it; the same one is the same deployment.
    package var id: String
    package var purpose: Purpose
    /// Asked for with all consequences: a barred version, or data that cannot go back.
    package var isForced: Bool
    package var target: BundleVersion
    package var terms: VersionTerms?
    package var state: State
    package var reason: DeploymentReason?
    /// How often the version that is current now was begun to be observed: a version that takes the machine down with it is
    /// given up too.
    package var attempts: Int
    /// Where `reverting` leads; `nil` for no version at all.
    package var refuge: BundleVersion?
    /// Given up in the course of this deployment.
    package var givenUp: [BundleVersion]

    package init(
        id: String, purpose: Purpose = .deploy, isForced: Bool = false, target: BundleVersion,
        terms: VersionTerms? = nil, state: State, reason: DeploymentReason? = nil, attempts: Int = 0,
        refuge: BundleVersion? = nil, givenUp: [BundleVersion] = []
    ) {
        self.id = id
        self.purpose = purpose
        self.isForced = isForced
        self.target = target
        self.terms = terms
        self.state = state
        self.reason = reason
        self.attempts = attempts
        self.refuge = refuge
        self.givenUp = givenUp
    }

    var end: DeploymentEnd { DeploymentEnd(id: id, state, reason) }
}
