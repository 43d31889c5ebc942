package import ControlProtocol
package import FleetAPI

/// A command as an operator gave it.
package struct StoredCommand: Equatable, Sendable {
    /// A UUID.
    package var id: String
    package var kind: String
    package var payload: JSONObject
    package var createdAt: Int64
    /// Not begun after that; `nil` for never.
    package var expiresAt: Int64?
    /// The name of the operator's token.
    package var createdBy: String
    /// Whom it was meant for, in words.
    package var target: String
    /// How many devices, by state. Not part of what is added.
    package var counts: [CommandState: Int]

    package init(
        id: String, kind: String, payload: JSONObject, createdAt: Int64, expiresAt: Int64?, createdBy: String,
        target: String, counts: [CommandState: Int] = [:]
    ) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.createdBy = createdBy
        self.target = target
        self.counts = counts
    }
}

/// How a command stands on one device.
package struct CommandProgress: Equatable, Sendable {
    package var device: String
    package var sequence: UInt64
    package var state: CommandState
    package var message: String
    package var result: JSONValue
    package var updatedAt: Int64
    package var hasAttachment: Bool

    package init(
        device: String, sequence: UInt64, state: CommandState, message: String, result: JSONValue, updatedAt: Int64,
        hasAttachment: Bool
    ) {
        self.device = device
        self.sequence = sequence
        self.state = state
        self.message = message
        self.result = result
        self.updatedAt = updatedAt
        self.hasAttachment = hasAttachment
    }
}

/// Which commands; `nil` is any.
package struct CommandFilter: Equatable, Sendable {
    package var device: String?
    package var kind: String?
    /// Those that were made earlier than the one with this id.
    package var before: String?
    package var limit: Int

    package init(device: String? = nil, kind: String? = nil, before: String? = nil, limit: Int = 100) {
        self.device = device
        self.kind = kind
        self.before = before
        self.limit = limit
    }
}
