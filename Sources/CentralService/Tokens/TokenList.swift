package import CentralStore
package import ControlProtocol

/// All tokens, as they are shown: never with their secrets.
package struct TokenList {
    package struct Row: Sendable {
        package var json: JSONValue
        /// For people.
        package var line: String
    }

    private enum Key: String {
        case id, kind, name, role, uses, used, state
        case createdAt = "created_ms"
        case expiresAt = "expires_ms"
        case needsApproval = "needs_approval"
    }

    private let store: any CentralStore

    package init(_ store: any CentralStore) { self.store = store }

    package func rows(at now: Int64) async throws -> [Row] {
        let devices = try await store.enrolmentTokens().map { token in
            let state = Self.state(
                revoked: token.revokedAt, expires: token.expiresAt, now, isUsedUp: token.used >= token.uses)
            return Row(
                json: .object([
                    Key.id: token.id, .kind: "enrolment", .state: state, .createdAt: Int(token.createdAt),
                    .expiresAt: Int(token.expiresAt), .uses: token.uses, .used: token.used,
                    .needsApproval: token.needsApproval,
                ]),
                line:
                    "\(token.id)  \(state)  devices, \(token.used) of \(token.uses)\(token.needsApproval ? ", to be approved" : "")"
            )
        }
        let operators = try await store.operatorTokens().map { token in
            let state = Self.state(revoked: token.revokedAt, expires: token.expiresAt ?? .max, now, isUsedUp: false)
            return Row(
                json: .object([
                    Key.id: token.id, .kind: "operator", .state: state, .createdAt: Int(token.createdAt),
                    .expiresAt: token.expiresAt.map { Int($0) }, .name: token.name, .role: token.role.rawValue,
                ]), line: "\(token.id)  \(state)  \(token.role.rawValue) \(token.name)")
        }
        return devices + operators
    }

    private static func state(revoked: Int64?, expires: Int64, _ now: Int64, isUsedUp: Bool) -> String {
        if revoked != nil { return "revoked" }
        if expires <= now { return "expired" }
        return isUsedUp ? "used-up" : "valid"
    }
}
