package import ControlProtocol

/// Where a device stands with the operators.
package enum DeviceState: String, CaseIterable, Sendable {
    /// An operator has to approve it.
    case pending
    case enrolled
    /// Nothing of it is taken any more.
    case revoked
}

/// What it takes to judge a request of a device.
package struct DeviceIdentity: Hashable, Sendable {
    /// The store's own name for it; of this store only.
    package var number: Int64
    /// 16 hexadecimal digits.
    package var id: String
    /// Ed25519, 32 bytes.
    package var publicKey: [UInt8]
    package var state: DeviceState

    package init(number: Int64, id: String, publicKey: [UInt8], state: DeviceState) {
        self.number = number
        self.id = id
        self.publicKey = publicKey
        self.state = state
    }
}

/// A device as operators see it.
package struct Device: Equatable, Sendable {
    package var identity: DeviceIdentity
    package var name: String
    package var enrolledAt: Int64
    package var lastSeen: Int64?
    /// What it told last: of labels, what an operator has set counts, else what is configured there.
    package var labels: JSONObject
    package var facts: JSONObject
    package var version: String?
    package var boot: String?
    /// In seconds.
    package var up: Double?
    /// Central's clock less the device's, in milliseconds.
    package var skew: Int64?
    /// Two devices have this identity.
    package var isForked: Bool
    package var state: JSONObject
    package var spools: JSONObject

    package init(
        identity: DeviceIdentity, name: String, enrolledAt: Int64, lastSeen: Int64?, labels: JSONObject,
        facts: JSONObject, version: String?, boot: String?, up: Double?, skew: Int64?, isForked: Bool,
        state: JSONObject, spools: JSONObject
    ) {
        self.identity = identity
        self.name = name
        self.enrolledAt = enrolledAt
        self.lastSeen = lastSeen
        self.labels = labels
        self.facts = facts
        self.version = version
        self.boot = boot
        self.up = up
        self.skew = skew
        self.isForked = isForked
        self.state = state
        self.spools = spools
    }
}

/// A device that wants to belong to the fleet.
package struct Enrolment: Equatable, Sendable {
    /// The id that it gets when it is new.
    package var id: String
    package var publicKey: [UInt8]
    /// SHA-256.
    package var secretHash: [UInt8]
    package var name: String
    package var facts: JSONObject

    package init(id: String, publicKey: [UInt8], secretHash: [UInt8], name: String, facts: JSONObject) {
        self.id = id
        self.publicKey = publicKey
        self.secretHash = secretHash
        self.name = name
        self.facts = facts
    }
}

/// What an operator changes of a device; `nil` leaves a thing as it is.
package struct DeviceChange: Equatable, Sendable {
    package var name: String?
    package var labels: JSONObject?
    /// Takes back the flag, once an operator has looked into it.
    package var clearsFork: Bool

    package init(name: String? = nil, labels: JSONObject? = nil, clearsFork: Bool = false) {
        self.name = name
        self.labels = labels
        self.clearsFork = clearsFork
    }
}

/// What follows from a heartbeat.
package struct HeartbeatOutcome: Equatable, Sendable {
    /// What the device should have instead; `nil` when it has it.
    package var labels: JSONObject?
    /// Of the last command that waits; 0 for none.
    package var commandSequence: UInt64
    /// It was not flagged before.
    package var isNewlyForked: Bool

    package init(labels: JSONObject?, commandSequence: UInt64, isNewlyForked: Bool) {
        self.labels = labels
        self.commandSequence = commandSequence
        self.isNewlyForked = isNewlyForked
    }
}

/// Which devices; `nil` is any.
package struct DeviceFilter: Equatable, Sendable {
    package var states: Set<DeviceState>?
    /// With `*` and `?`, as in a shell.
    package var name: String?
    /// Those that have all of these.
    package var labels: [LabelRequirement]
    package var ids: [String]?
    package var isForked: Bool?
    package var seenAfter: Int64?
    package var seenBefore: Int64?
    /// Those with a higher id.
    package var after: String?
    package var limit: Int

    package init(
        states: Set<DeviceState>? = nil, name: String? = nil, labels: [LabelRequirement] = [], ids: [String]? = nil,
        isForked: Bool? = nil, seenAfter: Int64? = nil, seenBefore: Int64? = nil, after: String? = nil,
        limit: Int = 100
    ) {
        self.states = states
        self.name = name
        self.labels = labels
        self.ids = ids
        self.isForked = isForked
        self.seenAfter = seenAfter
        self.seenBefore = seenBefore
        self.after = after
        self.limit = limit
    }
}
