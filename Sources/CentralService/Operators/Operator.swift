import CentralStore
import FleetAPI
import HTTPTypes
import Hummingbird

/// Whoever asks the operator API.
struct Operator: Sendable {
    let token: StoredOperatorToken

    var name: String { token.name }
}

extension Central {
    /// Who it is, by the bearer token, if they may do what takes that role.
    func operate(_ request: Request, _ context: CentralContext, as role: OperatorRole) async throws -> Operator {
        let now = clock.now()
        let words = (request.headers[.authorization] ?? "").split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer",
            let token = try await store.operatorToken(hash: TokenMaker.hash(String(words[1]))), token.revokedAt == nil,
            token.expiresAt ?? .max > now
        else {
            try admitStranger(request, context)
            metrics.countRefusal("unauthorized")
            var problem = Problem(
                .unauthorized, .unauthorized, "A valid token is needed",
                "send 'Authorization: Bearer TOKEN'; holdfast-central token create --operator NAME --bearer makes one")
            problem.headers[.wwwAuthenticate] = "Bearer"
            throw problem
        }
        if let seconds = operators.admit(token.id, at: now) {
            metrics.countRefusal("rate")
            throw Problem(
                .tooManyRequests, .tooManyRequests, "Too many requests", "one token may not ask that often",
                retryAfter: seconds)
        }
        guard token.role >= role else {
            throw Problem(
                .forbidden, .forbidden, "The token may not do that",
                "it takes the role \(role.rawValue), and \(token.name) is \(token.role.rawValue)")
        }
        return Operator(token: token)
    }

    /// Notes what an operator has done, where everybody can see it.
    func note(_ who: Operator, _ action: String, _ target: String, _ detail: String = "") async throws {
        try await store.note(
            AuditEntry(time: clock.now(), actor: who.name, action: action, target: target, detail: detail))
    }
}
