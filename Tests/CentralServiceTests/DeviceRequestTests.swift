import CentralStore
import ControlProtocol
import Crypto
import FleetAPI
import HTTPTypes
import Testing

@testable import CentralService

@Suite("What devices ask", .timeLimit(.minutes(1)))
struct DeviceRequestTests {
    private let commands = "/api/v1/device/commands"

    @Test("a batch is taken once, and again after central's restart it is known")
    func once() async throws {
        try await CentralUnderTest.with { central in
            var device = try await central.device()
            #expect(try await device.deliver(1...50).json == ["acknowledged": 50])
            #expect(try await device.deliver(1...50).json == ["acknowledged": 50])
            central.time.advance(seconds: 5)
            device.central = try await central.restarted()
            #expect(try await device.deliver(31...60, encoding: "identity").json == ["acknowledged": 60])
            let ahead = try await device.deliver(70...80)
            #expect(ahead.status == 409 && ahead.problem == "sequence" && ahead.json["acknowledged"] == 60)
            let id = device.keyID
            let query = ReadingsQuery(series: SeriesFilter(device: id), from: 0, to: 1000, limit: 1000)
            #expect(try await central.store.readings(query).map(\.value) == (1...60).map { .int($0) })
        }
    }

    @Test("a clock that is off is told the time, and taken once corrected", arguments: [-1_763_699_999, -400, 400])
    func clock(_ skew: Int64) async throws {
        try await CentralUnderTest.with { central in
            central.time.advance(seconds: 1000)
            var device = try await central.device()
            device.skew = skew
            let refused = try await device.send(.get, commands)
            #expect(refused.status == 401 && refused.problem == "clock")
            let told = try #require(refused.json["time_ms"]?.intValue)
            device.skew += Int64(told) / 1000 - (central.time.now / 1000 + skew)
            #expect(try await device.send(.get, commands).status == 204)
        }
    }

    @Test("a signature from before central's start is not taken, for its nonce may have been")
    func restart() async throws {
        try await CentralUnderTest.with { central in
            var device = try await central.device()
            let headers = try device.signed(.get, commands, content: [])
            #expect(try await central.answer(.get, commands, headers: headers).status == 204)
            central.time.advance(seconds: 2)
            device.central = try await central.restarted()
            let replayed = try await device.central.answer(.get, commands, headers: headers)
            #expect(replayed.problem == "clock")
        }
    }

    @Test("a request is taken once; the same nonce of another device is another matter")
    func replay() async throws {
        try await CentralUnderTest.with { central in
            let (one, two) = (try await central.device(), try await central.device())
            let nonce = [UInt8](repeating: 3, count: 16)
            let headers = try one.signed(.get, commands, content: [], nonce: nonce)
            #expect(try await central.answer(.get, commands, headers: headers).status == 204)
            let again = try await central.answer(.get, commands, headers: headers)
            #expect(again.status == 401 && again.problem == "replayed")
            let other = try two.signed(.get, commands, content: [], nonce: nonce)
            #expect(try await central.answer(.get, commands, headers: other).status == 204)
            // Still known at the very end of the time in which it would be taken.
            central.time.advance(seconds: 300)
            #expect(try await central.answer(.get, commands, headers: headers).problem == "replayed")
            central.time.advance(seconds: 1)
            #expect(try await central.answer(.get, commands, headers: headers).problem == "clock")
        }
    }

    @Test(
        "a signature over anything else is refused",
        arguments: [
            "method", "path", "query", "content", "digest", "other-key", "empty", "short", "no-digest", "unknown-alg",
            "other-order", "two-members", "no-nonce", "none",
        ])
    func forged(_ how: String) async throws {
        try await CentralUnderTest.with { central in
            var device = try await central.device()
            let content = Array("{}".utf8)
            var (method, path, sent) = (HTTPRequest.Method.post, "/api/v1/device/heartbeat", content)
            if how == "other-key" { device.key = Curve25519.Signing.PrivateKey() }
            var headers = try device.signed(method, path, content: content)
            let input = headers[.signatureInput] ?? ""
            switch how {
            case "method": method = .put
            case "path": path = "/api/v1/device/telemetry"
            case "query": path += "?a=1"
            case "content": sent = Array("[]".utf8)
            case "digest":
                headers[.contentDigest] = SignatureBase.contentDigest(sha256: [UInt8](repeating: 0, count: 32))
            case "empty": headers[.signature] = "hf=::"
            case "short": headers[.signature] = "hf=:AAAA:"
            case "no-digest": headers[.contentDigest] = nil
            case "unknown-alg": headers[.signatureInput] = input.replacing("ed25519", with: "none")
            case "other-order":
                headers[.signatureInput] = input.replacing(#""@method" "@path""#, with: #""@path" "@method""#)
            case "two-members": headers[.signatureInput] = input + "," + input.replacing("hf=", with: "hg=")
            case "no-nonce": headers[.signatureInput] = input.replacing("nonce", with: "once")
            case "none":
                headers[.signatureInput] = nil
                headers[.signature] = nil
            default: break
            }
            let answer = try await central.answer(method, path, headers: headers, content: sent)
            #expect([401, 404].contains(answer.status))
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(try await central.store.device(device.keyID)?.boot == nil)
        }
    }

    @Test("who is unknown, pending or revoked is told so")
    func states() async throws {
        try await CentralUnderTest.with { central in
            var device = try await central.device()
            let id = device.keyID
            device.keyID = "0000000000000000"
            #expect(try await device.send(.get, commands).problem == "unknown-device")
            device.keyID = id
            let admin = try await central.token(.admin)
            #expect(try await central.ask(.post, "/devices/\(id)/revoke", admin).status == 200)
            let revoked = try await device.send(.get, commands)
            #expect(revoked.status == 403 && revoked.problem == "revoked")
            #expect(try await central.ask(.post, "/devices/\(id)/approve", admin).status == 409)
        }
    }

    @Test("one that has to be approved waits, then goes on with the same id")
    func approval() async throws {
        try await CentralUnderTest.with { central in
            let secret = [UInt8](repeating: 4, count: 32)
            try await central.store.add(
                StoredEnrolmentToken(
                    id: "e", hash: Array(SHA256.hash(data: secret)), createdAt: 0, expiresAt: .max, uses: 1,
                    needsApproval: true))
            var device = DeviceUnderTest(central: central, secret: secret)
            let pending = try await device.send(.post, "/api/v1/enrol", content: device.enrolmentContent())
            #expect(pending.status == 202 && pending.json["state"] == "pending")
            let id = try #require(pending.json["device"]?.stringValue)
            var known = device
            known.keyID = id
            #expect(try await known.send(.get, commands).problem == "pending")
            let admin = try await central.token(.admin)
            #expect(try await central.ask(.post, "/devices/\(id)/approve", admin).status == 200)
            try await device.enrol()
            #expect(device.keyID == id)
            #expect(try await device.send(.get, commands).status == 204)
        }
    }

    @Test("a new key takes the place of the old one, and only with its proof")
    func rekey() async throws {
        try await CentralUnderTest.with { central in
            var device = try await central.device()
            let fresh = Curve25519.Signing.PrivateKey()
            func change(_ proof: [UInt8]) throws -> [UInt8] {
                JSONValue.object([
                    "public_key": .string(Base64.url.encode(Array(fresh.publicKey.rawRepresentation))),
                    "proof": .string(Base64.url.encode(proof)),
                ]).serialised()
            }
            #expect(try await device.send(.post, "/api/v1/device/key", content: change([1, 2])).status == 400)
            let proof = Array(try fresh.signature(for: device.publicKey))
            #expect(try await device.send(.post, "/api/v1/device/key", content: change(proof)).status == 200)
            #expect(try await device.send(.get, commands).problem == "signature")
            device.key = fresh
            #expect(try await device.send(.get, commands).status == 204)
            // Also after a restart.
            central.time.advance(seconds: 1)
            device.central = try await central.restarted()
            #expect(try await device.send(.get, commands).status == 204)
        }
    }

    @Test("what cannot be read is told with its line; what is too large, to be halved")
    func badBatches() async throws {
        try await CentralUnderTest.with { central in
            let device = try await central.device()
            func answer(_ content: [UInt8]) async throws -> Answer {
                try await device.send(
                    .post, "/api/v1/device/telemetry", content: content, headers: [.contentEncoding: "gzip"])
            }
            #expect(try await answer(Array("no gzip".utf8)).problem == "batch")
            let text = #"{"spool":"\#(spool)","queue":"readings","first":1,"last":1,"sent_ms":1}"# + "\n{}"
            let bad = try await answer(gzip(Array(text.utf8)))
            #expect(bad.status == 400 && bad.problem == "batch" && bad.json["line"] == 2)
            #expect(try await answer(gzip(Array(repeating: 0, count: 9 << 20))).status == 413)
            #expect(try await answer((0..<(1 << 20) + 1).map { _ in UInt8.random(in: 0...255) }).status == 413)
        }
    }

    @Test("a command wakes the device that waits, and only its own commands come")
    func longPoll() async throws {
        try await CentralUnderTest.with { central in
            let (one, two) = (try await central.device(), try await central.device())
            let token = try await central.token(.operator)
            async let waiting = one.send(.get, commands + "?after=0&wait=600")
            while central.central.room.count != 1 { await Task.yield() }
            let made = try await central.ask(
                .post, "/commands", token,
                ["kind": "worker.restart", "payload": ["worker": "camera"], "devices": [.string(one.keyID)]])
            #expect(made.status == 201)
            let answer = try await waiting
            #expect(answer.status == 200)
            #expect(answer.json["commands"]?.arrayValue?.first?["id"] == made.json["id"])
            #expect(try await two.send(.get, commands).status == 204)
            #expect(try await one.send(.get, commands + "?after=1").status == 204)
        }
    }

    @Test("one device cannot send without end")
    func rate() async throws {
        var settings = CentralSettings()
        settings.deviceRate = RateLimit(perSecond: 1, burst: 3)
        try await CentralUnderTest.with(settings: settings) { central in
            let (one, two) = (try await central.device(), try await central.device())
            var statuses: [Int] = []
            for _ in 0..<4 { statuses.append(try await one.send(.get, commands).status) }
            #expect(statuses.last == 429)
            #expect(try await two.send(.get, commands).status == 204)
            central.time.advance(seconds: 2)
            #expect(try await one.send(.get, commands).status == 204)
        }
    }

    @Test("a larger fleet asks less often")
    func budget() {
        let settings = CentralSettings()
        #expect(settings.interval(devices: 10) == 1500)
        #expect(settings.interval(devices: 50_000) == 2000)
        #expect(settings.interval(devices: 10_000_000) == 3600)
    }
}
