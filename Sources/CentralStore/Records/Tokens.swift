/// What lets devices in.
package struct StoredEnrolmentToken: Equatable, Sendable {
    /// Short, for people; not the secret.
    package var id: String
    /// SHA-256 of the 32 bytes.
    package var hash: [UInt8]
    package var createdAt: Int64
    package var expiresAt: Int64
    package var uses: Int
    package var used: Int
    /// Whoever comes with it has to wait for an operator.
    package var needsApproval: Bool
    package var revokedAt: Int64?

    package init(
        id: String, hash: [UInt8], createdAt: Int64, expiresAt: Int64, uses: Int, used: Int = 0, needsApproval: Bool,
        revokedAt: Int64? = nil
    ) {
        self.id = id
        self.hash = hash
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.uses = uses
        self.used = used
        self.needsApproval = needsApproval
        self.revokedAt = revokedAt
    }
}

/// What somebody may do with the operator API. Each includes those before.
package enum OperatorRole: String, CaseIterable, Comparable, Sendable {
    /// Sees everything but secrets.
    case viewer
    /// Sends commands, changes labels, uploads bundles and deploys them.
    case `operator`
    /// Enrols, approves, revokes and deletes devices; makes tokens.
    case admin

    package static func < (a: OperatorRole, b: OperatorRole) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }
}

/// A bearer token.
package struct StoredOperatorToken: Equatable, Sendable {
    package var id: String
    /// Whose it is.
    package var name: String
    package var role: OperatorRole
    /// SHA-256 of the text.
    package var hash: [UInt8]
    package var createdAt: Int64
    /// `nil` for never.
    package var expiresAt: Int64?
    package var revokedAt: Int64?

    package init(
        id: String, name: String, role: OperatorRole, hash: [UInt8], createdAt: Int64, expiresAt: Int64? = nil,
        revokedAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.hash = hash
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }
}

/// Something that an operator, or the command line on central's machine, has done.
package struct AuditEntry: Equatable, Sendable {
    /// Given by the store.
    package var id: Int64
    package var time: Int64
    /// The name of the token, or `local`.
    package var actor: String
    /// Such as `device.revoke`.
    package var action: String
    package var target: String
    package var detail: String

    package init(id: Int64 = 0, time: Int64, actor: String, action: String, target: String, detail: String = "") {
        self.id = id
        self.time = time
        self.actor = actor
        self.action = action
        self.target = target
        self.detail = detail
    }
}
