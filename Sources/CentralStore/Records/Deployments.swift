package import ControlProtocol
package import Rollout

/// A bundle on its way to many devices, or back.
package struct StoredDeployment: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case deploy, rollback

        /// The kind of its commands, as the plugins on devices call it.
        package var command: String { "bundle.\(rawValue)" }
    }

    /// A UUID.
    package var id: String
    package var kind: Kind
    package var bundle: String
    /// `VERSION@HASH`; `nil` for a rollback to the last good one.
    package var version: String?
    /// What each device gets.
    package var payload: JSONObject
    /// Seconds from when a device's turn comes until it has to have begun.
    package var expiresIn: Double
    package var limits: Rollout.Limits
    package var createdAt: Int64
    /// The name of the operator's token.
    package var createdBy: String
    /// Whom it was meant for, in words.
    package var target: String
    // Not part of what is added.
    package var state: Rollout.State
    package var updatedAt: Int64
    /// How many devices, by state.
    package var counts: [DeploymentDevice.State: Int]

    package init(
        id: String, kind: Kind, bundle: String, version: String?, payload: JSONObject, expiresIn: Double,
        limits: Rollout.Limits, createdAt: Int64, createdBy: String, target: String, state: Rollout.State = .running,
        updatedAt: Int64? = nil, counts: [DeploymentDevice.State: Int] = [:]
    ) {
        self.id = id
        self.kind = kind
        self.bundle = bundle
        self.version = version
        self.payload = payload
        self.expiresIn = expiresIn
        self.limits = limits
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.target = target
        self.state = state
        self.updatedAt = updatedAt ?? createdAt
        self.counts = counts
    }
}

/// How a deployment stands on one device.
package struct DeploymentDevice: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        /// Its turn has not come.
        case waiting
        /// Its command lies ready; the device has not said anything of it yet.
        case sent
        case running
        /// The version has proved itself.
        case committed
        case failed
        /// The device does not do such a thing.
        case rejected
        /// The device did not come for its command in time.
        case expired
        /// A newer deployment of the bundle came first.
        case superseded
        /// By an operator, before the device had it.
        case cancelled
    }

    /// Its id.
    package var device: String
    package var name: String
    package var state: State
    /// Why, or how far it is.
    package var message: String
    /// A UUID, the same for this device from the beginning.
    package var command: String
    package var updatedAt: Int64

    package init(
        device: String, name: String, state: State, message: String, command: String, updatedAt: Int64
    ) {
        self.device = device
        self.name = name
        self.state = state
        self.message = message
        self.command = command
        self.updatedAt = updatedAt
    }
}

/// What came of looking at a deployment.
package struct DeploymentStep: Equatable, Sendable {
    /// The store's numbers of devices that have a command now.
    package var sent: [Int64] = []
    /// Ids of deployments of which something has changed.
    package var changed: Set<String> = []

    package init(sent: [Int64] = [], changed: Set<String> = []) {
        self.sent = sent
        self.changed = changed
    }

    package mutating func add(_ other: DeploymentStep) {
        sent += other.sent
        changed.formUnion(other.changed)
    }
}

/// Which deployments; `nil` is any.
package struct DeploymentFilter: Equatable, Sendable {
    package var bundle: String?
    /// An id.
    package var device: String?
    package var states: Set<Rollout.State>?
    /// Those that were made earlier than the one with this id.
    package var before: String?
    package var limit: Int

    package init(
        bundle: String? = nil, device: String? = nil, states: Set<Rollout.State>? = nil, before: String? = nil,
        limit: Int = 100
    ) {
        self.bundle = bundle
        self.device = device
        self.states = states
        self.before = before
        self.limit = limit
    }
}
