import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Testing

@testable import CentralService

@Suite("What operators ask", .timeLimit(.minutes(1)))
struct OperatorRequestTests {
    /// Every route of the operator API, and the least role that may call it.
    private static let roles: [(HTTPRequest.Method, String, OperatorRole)] = [
        (.get, "/me", .viewer), (.get, "/devices", .viewer), (.get, "/devices/{id}", .viewer),
        (.patch, "/devices/{id}", .operator), (.delete, "/devices/{id}", .admin),
        (.post, "/devices/{id}/approve", .admin), (.post, "/devices/{id}/revoke", .admin),
        (.get, "/devices/{id}/telemetry", .viewer), (.get, "/devices/{id}/telemetry/latest", .viewer),
        (.get, "/devices/{id}/gaps", .viewer), (.get, "/events", .viewer), (.get, "/incidents", .viewer),
        (.get, "/commands", .viewer), (.post, "/commands", .operator), (.get, "/commands/{id}", .viewer),
        (.post, "/commands/{id}/cancel", .operator), (.get, "/commands/{id}/devices/{device}/attachment", .operator),
        (.get, "/bundles", .viewer), (.post, "/bundles", .operator), (.get, "/bundles/{name}/{version}", .viewer),
        (.delete, "/bundles/{name}/{version}", .operator), (.patch, "/uploads/{sha256}", .operator),
        (.get, "/metadata/{name}", .viewer), (.put, "/metadata/{name}", .operator),
        (.get, "/deployments", .viewer), (.post, "/deployments", .operator), (.get, "/deployments/{id}", .viewer),
        (.post, "/deployments/{id}/pause", .operator), (.post, "/deployments/{id}/resume", .operator),
        (.post, "/deployments/{id}/cancel", .operator),
        (.get, "/tokens", .admin), (.post, "/tokens", .admin), (.delete, "/tokens/{id}", .admin),
        (.get, "/audit", .admin), (.get, "/stream", .viewer),
    ]

    @Test("every route refuses those without a token, and those of a lower role")
    func roles() async throws {
        try await CentralUnderTest.with { central in
            let tokens = [
                OperatorRole.viewer: try await central.token(.viewer), .operator: try await central.token(.operator),
            ]
            let routes = central.central.operatorRoutes.filter { $0.path.hasPrefix("/api/v1/") }
            #expect(Set(routes.map { "\($0.method) \($0.path)" }) == Set(Self.roles.map { "\($0.0) /api/v1\($0.1)" }))
            for (method, path, role) in Self.roles {
                #expect(try await central.answer(method, "/api/v1" + path).status == 401, "\(method) \(path)")
                central.time.advance(seconds: 60)
                for (other, token) in tokens where other < role {
                    #expect(try await central.ask(method, path, token).status == 403, "\(method) \(path) as \(other)")
                }
            }
        }
    }

    @Test("a token that is revoked, expired or made up lets nobody in, and guessing is slowed down")
    func tokens() async throws {
        try await CentralUnderTest.with { central in
            let maker = TokenMaker(store: central.store, clock: central.central.clock, actor: "test")
            let short = try await maker.operatorToken(name: "a", role: .viewer, lifetime: 10)
            #expect(try await central.ask(.get, "/me", short.text).json["name"] == "a")
            central.time.advance(seconds: 10)
            #expect(try await central.ask(.get, "/me", short.text).status == 401)
            let other = try await maker.operatorToken(name: "b", role: .viewer, lifetime: nil)
            try await maker.revoke(other.id)
            let answer = try await central.ask(.get, "/me", other.text)
            #expect(answer.status == 401 && answer.headers[.wwwAuthenticate] == "Bearer")
            var statuses: Set<Int> = []
            for _ in 0..<100 { statuses.insert(try await central.ask(.get, "/me", "hfo_guess").status) }
            #expect(statuses == [401, 429])
            // Nothing that is kept tells a token.
            #expect(try await central.store.operatorTokens().allSatisfy { $0.hash.count == 32 })
        }
    }

    @Test("a command goes to those meant, and to nobody when one of them may not have it")
    func targets() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            var ids: [String] = []
            for site in ["a", "a", "b"] {
                let id = try await central.device().keyID
                ids.append(id)
                #expect(
                    try await central.ask(.patch, "/devices/\(id)", token, ["labels": ["site": .string(site)]]).status
                        == 200)
            }
            func create(_ json: JSONObject) async throws -> Answer {
                var json = json
                json["kind"] = "runtime.reload"
                return try await central.ask(.post, "/commands", token, .object(json))
            }
            func devices(_ answer: Answer) -> Int? { answer.json["devices"]?.arrayValue?.count }
            #expect(devices(try await create(["selector": "site=a"])) == 2)
            #expect(devices(try await create(["all": true])) == 3)
            #expect(devices(try await create(["devices": .array(ids.map { .string($0) })])) == 3)
            #expect(try await create(["selector": "site=c"]).status == 404)
            #expect(try await create([:]).status == 400)
            #expect(try await create(["selector": ""]).status == 400)
            #expect(try await create(["all": true, "selector": "site=a"]).status == 400)
            #expect(try await create(["devices": [.string(ids[0]), "ffffffffffffffff"]]).status == 404)
            let admin = try await central.token(.admin)
            #expect(try await central.ask(.post, "/devices/\(ids[1])/revoke", admin).status == 200)
            #expect(try await create(["devices": .array(ids.map { .string($0) })]).status == 409)
            #expect(devices(try await create(["selector": "site=a"])) == 1)
            #expect(try await central.ask(.get, "/commands", token).json["commands"]?.arrayValue?.count == 4)
        }
    }

    @Test("a command that is sent again under its id is made once")
    func idempotent() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            _ = try await central.device()
            var json: JSONObject = [
                "id": "0b0c1d2e-0000-4000-8000-000000000001", "kind": "runtime.reload", "all": true,
            ]
            #expect(try await central.ask(.post, "/commands", token, .object(json)).status == 201)
            #expect(try await central.ask(.post, "/commands", token, .object(json)).status == 200)
            json["kind"] = "runtime.status"
            #expect(try await central.ask(.post, "/commands", token, .object(json)).status == 409)
        }
    }

    @Test(
        "queries that make no sense are refused, and say why",
        arguments: [
            "/devices?limit=0", "/devices?limit=x", "/devices?state=happy", "/devices?forked=maybe",
            "/devices?selector==",
            "/bundles?limit=0", "/deployments?state=happy", "/deployments?limit=1001",
            "/events?limit=100000", "/events?before=x", "/devices?name=" + String(repeating: "x", count: 300),
        ])
    func queries(_ path: String) async throws {
        try await CentralUnderTest.with { central in
            let answer = try await central.ask(.get, path, try await central.token(.viewer))
            #expect([400, 409].contains(answer.status))
            #expect(answer.json["detail"]?.stringValue?.isEmpty == false)
        }
    }

    @Test("who listens hears of what happens, once")
    func stream() async throws {
        let stream = NewsStream()
        let news = try #require(stream.listen())
        stream.publish {
            [News(topic: "device", device: "d", body: ["a": 1]), News(topic: "event", device: "d", body: [:])]
        }
        stream.close()
        var topics: [String] = []
        for await item in news { topics.append(item.topic) }
        #expect(topics == ["device", "event"])
        #expect(stream.listen() == nil)
    }

    @Test("what operators change is in the audit")
    func audit() async throws {
        try await CentralUnderTest.with { central in
            let admin = try await central.token(.admin)
            let id = try await central.device().keyID
            _ = try await central.ask(.patch, "/devices/\(id)", admin, ["name": "press"])
            _ = try await central.ask(.delete, "/devices/\(id)", admin)
            let entries = try await central.ask(.get, "/audit?limit=2", admin).json["entries"]?.arrayValue
            #expect(entries?.compactMap { $0["action"]?.stringValue } == ["device.delete", "device.change"])
        }
    }
}
