package import CentralStore
package import ControlProtocol
import Crypto
import FleetAPI

/// A new token: the only time that its text is there.
package struct MadeToken: Sendable, JSONConvertible {
    package var id: String
    package var text: String
    /// Of an operator's: for `holdfast fleet login`, with central's address and the key to know it by; `nil` while those are not
    /// known.
    package var login: String?
    /// In milliseconds since 1970; `nil` for never.
    package var expiresAt: Int64?

    private enum Key: String { case id, token, login, expiresAt = "expires_ms" }

    package init(id: String, text: String, login: String? = nil, expiresAt: Int64?) {
        self.id = id
        self.text = text
        self.login = login
        self.expiresAt = expiresAt
    }

    package init(json: JSONValue) throws(JSONError) {
        id = try json.required(Key.id)
        text = try json.required(Key.token)
        login = try json.optional(Key.login)
        expiresAt = try (json.optional(Key.expiresAt) as Int?).map { Int64($0) }
    }

    package var json: JSONValue {
        var object: JSONObject = [Key.id.rawValue: .string(id), Key.token.rawValue: .string(text)]
        if let login { object[Key.login.rawValue] = .string(login) }
        object[Key.expiresAt.rawValue] = expiresAt.map { .int($0) } ?? .null
        return .object(object)
    }
}

/// Makes tokens and takes them back. Keeps SHA-256 of their secrets only, which is enough for secrets of 256 random bits.
package struct TokenMaker: Sendable {
    private let store: any CentralStore
    private let clock: WallClock
    private let actor: String

    /// - Parameter actor: who is noted to have done it.
    package init(store: any CentralStore, clock: WallClock = .system, actor: String) {
        self.store = store
        self.clock = clock
        self.actor = actor
    }

    /// - Parameters:
    ///   - lifetime: in seconds.
    ///   - url: central's address; `nil` for that which `serve` has left.
    ///   - folder: central's data, where `serve` has not run yet.
    package func enrolmentToken(
        lifetime: Int64, uses: Int, needsApproval: Bool, url: String?, folder: String? = nil
    ) async throws -> MadeToken {
        let published = try await Trust.published(in: store)
        guard let url = url ?? published?.url else {
            throw CentralError(
                .address,
                "central's address is not known yet: run 'holdfast-central serve' once, or name it with --url https://HOST:7443"
            )
        }
        guard let pins = try published?.pins ?? folder.map({ try Trust(folder: $0, names: []).pins() }) else {
            throw CentralError(
                .certificate, "central's certificate is not known yet: run 'holdfast-central serve' once")
        }
        let secret = Self.randomBytes(32)
        let id = Self.id("e")
        let expiresAt = clock.now() + lifetime * 1000
        try await store.add(
            StoredEnrolmentToken(
                id: id, hash: Array(SHA256.hash(data: secret)), createdAt: clock.now(), expiresAt: expiresAt,
                uses: uses,
                needsApproval: needsApproval))
        try await note("token.create", id, "for \(uses) devices")
        return MadeToken(
            id: id, text: EnrolmentToken(url: url, pins: pins, secret: secret).text, expiresAt: expiresAt)
    }

    /// - Parameters:
    ///   - lifetime: in seconds; `nil` for ever.
    ///   - url: central's address; `nil` for that which `serve` has left.
    package func operatorToken(
        name: String, role: OperatorRole, lifetime: Int64?, url: String? = nil
    ) async throws -> MadeToken {
        let name = try Central.checked(name: name)
        let text = "hfo_" + Base64.url.encode(Self.randomBytes(32))
        let id = Self.id("o")
        let expiresAt = lifetime.map { clock.now() + $0 * 1000 }
        try await store.add(
            StoredOperatorToken(
                id: id, name: name, role: role, hash: Self.hash(text), createdAt: clock.now(), expiresAt: expiresAt))
        try await note("token.create", id, "\(role.rawValue) \(name)")
        let published = try await Trust.published(in: store)
        let login = published.map { OperatorLogin(url: url ?? $0.url, pins: $0.pins, token: text).text }
        return MadeToken(id: id, text: text, login: login, expiresAt: expiresAt)
    }

    package func revoke(_ id: String) async throws {
        try await store.revokeToken(id, at: clock.now())
        try await note("token.revoke", id, "")
    }

    /// What is kept of a bearer token.
    static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    private func note(_ action: String, _ target: String, _ detail: String) async throws {
        try await store.note(
            AuditEntry(time: clock.now(), actor: actor, action: action, target: target, detail: detail))
    }

    private static func id(_ prefix: String) -> String { prefix + "-" + randomBytes(4).map { hex($0) }.joined() }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
