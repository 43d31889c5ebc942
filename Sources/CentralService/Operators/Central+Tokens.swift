import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird

extension Central {
    private static let longestLifetime = 10 * 31_536_000

    /// `GET /me`
    func showMe(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        .json(
            [
                "name": .string(who.name), "role": .string(who.token.role.rawValue),
                "expires_ms": who.token.expiresAt.map { .int($0) } ?? .null,
                "version": .string(HoldfastVersion.current),
            ] as JSONObject)
    }

    /// `GET /tokens`
    func listTokens(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let rows = try await TokenList(store).rows(at: clock.now())
        return .json(JSONObject([.init(key: "tokens", value: .array(rows.map(\.json)))]))
    }

    /// `POST /tokens`
    func createToken(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let json: JSONValue = try await request.content(upTo: RequestLimits.operatorRequest).decoded()
        let lifetime = json["ttl_s"]?.intValue
        if let lifetime, !(1...Self.longestLifetime).contains(lifetime) {
            throw Problem.invalid("ttl_s has to be 1 to \(Self.longestLifetime)")
        }
        let maker = TokenMaker(store: store, clock: clock, actor: who.name)
        switch json["kind"]?.stringValue {
        case "enrolment":
            let uses = json["uses"]?.intValue ?? 1
            guard (1...1_000_000).contains(uses) else { throw Problem.invalid("uses has to be 1 to 1000000") }
            return .json(
                try await maker.enrolmentToken(
                    lifetime: Int64(lifetime ?? 3600), uses: uses,
                    needsApproval: json["needs_approval"]?.boolValue ?? false, url: nil), status: .created)
        case "operator":
            guard let name = json["name"]?.stringValue, let role = json["role"]?.stringValue.flatMap(OperatorRole.init)
            else { throw Problem.invalid("name has to be text, and role viewer, operator or admin") }
            return .json(
                try await maker.operatorToken(name: name, role: role, lifetime: lifetime.map { Int64($0) }),
                status: .created)
        default: throw Problem.invalid("kind has to be enrolment or operator")
        }
    }

    /// `DELETE /tokens/{id}`
    func revokeToken(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        try await TokenMaker(store: store, clock: clock, actor: who.name).revoke(try context.parameters.require("id"))
        return .noContent
    }

    /// `GET /audit`
    func listAudit(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit(standard: 100, most: 1000)
        let entries = try await store.audit(limit: limit, before: try query.number("before"))
        let next = entries.count == limit ? entries.last.map { JSONValue.int($0.id) } : nil
        return .json(View.page("entries", entries.map(View.audit), next: next ?? .null))
    }
}
