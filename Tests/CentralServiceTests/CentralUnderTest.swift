import CentralService
import CentralStore
import ControlProtocol
import Crypto
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import CentralService

/// Central without a network: requests go to the router as they would come from a connection.
struct CentralUnderTest: Sendable {
    let central: Central
    let store: SQLiteStore
    /// The folder of bundles' bytes.
    let content: String
    /// In milliseconds since 1970; moves only when told.
    let time: TestTime
    private let responder: CentralResponder

    static func with(
        settings: CentralSettings = CentralSettings(), _ body: (CentralUnderTest) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory()
        let store = try SQLiteStore(path: folder.path + "/store")
        let time = TestTime(1_763_700_000_000)
        try await body(
            CentralUnderTest(store: store, content: folder.path + "/content", time: time, settings: settings))
        try store.close()
    }

    init(
        store: SQLiteStore, content: String, time: TestTime, settings: CentralSettings = CentralSettings()
    ) async throws {
        self.store = store
        self.content = content
        self.time = time
        central = try await Central(
            store: store, content: try ContentFolder(content), settings: settings, clock: WallClock { time.now },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        responder = central.responder
    }

    /// The same store after a restart.
    func restarted() async throws -> CentralUnderTest {
        try await CentralUnderTest(store: store, content: content, time: time)
    }

    func answer(_ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], content: [UInt8] = [])
        async throws -> Answer
    {
        try await answer(method, path, headers: headers, body: .init(buffer: ByteBuffer(bytes: content)))
    }

    func answer(_ method: HTTPRequest.Method, _ path: String, headers: HTTPFields, body: RequestBody) async throws
        -> Answer
    {
        let head = HTTPRequest(method: method, scheme: "https", authority: "central", path: path, headerFields: headers)
        let context = CentralContext(
            source: ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: central.logger))
        let response = try await responder.respond(
            to: Request(head: head, body: body), context: context)
        let collector = Collector()
        try await response.body.write(collector)
        return Answer(status: response.status.code, headers: response.headers, content: collector.bytes.withLock { $0 })
    }

    /// As an operator.
    func ask(_ method: HTTPRequest.Method, _ path: String, _ token: String, _ json: JSONValue? = nil) async throws
        -> Answer
    {
        try await answer(
            method, "/api/v1" + path, headers: [.authorization: "Bearer \(token)"], content: json?.serialised() ?? [])
    }

    func token(_ role: OperatorRole) async throws -> String {
        try await TokenMaker(store: store, clock: central.clock, actor: "test").operatorToken(
            name: role.rawValue, role: role, lifetime: nil
        ).text
    }

    func device() async throws -> DeviceUnderTest {
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        try await store.add(
            StoredEnrolmentToken(
                id: "e-\(UInt32.random(in: 0 ... .max))", hash: Array(SHA256.hash(data: secret)), createdAt: time.now,
                expiresAt: time.now + 3_600_000, uses: 1, needsApproval: false))
        var device = DeviceUnderTest(central: self, secret: secret)
        try await device.enrol()
        return device
    }
}

struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let content: [UInt8]

    var json: JSONValue { (try? JSONValue.parse(content, limits: .reply)) ?? .null }
    /// Of problem details, without the prefix.
    var problem: String? { (try? ProblemDetails(json: json))?.kind.name }
}

private final class Collector: ResponseBodyWriter, Sendable {
    let bytes = Mutex<[UInt8]>([])

    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { $0 += Array(buffer: buffer) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

final class TestTime: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ milliseconds: Int64) { self.milliseconds = Mutex(milliseconds) }

    var now: Int64 { milliseconds.withLock { $0 } }
    func advance(seconds: Int64) { milliseconds.withLock { $0 += seconds * 1000 } }
}

/// A device as the protocol describes it, with its own clock.
struct DeviceUnderTest: Sendable {
    var central: CentralUnderTest
    let secret: [UInt8]
    var key = Curve25519.Signing.PrivateKey()
    var keyID: String
    /// Seconds that its clock is off.
    var skew: Int64 = 0

    init(central: CentralUnderTest, secret: [UInt8]) {
        self.central = central
        self.secret = secret
        keyID = SignatureBase.keyID(publicKey: Array(key.publicKey.rawRepresentation))
    }

    var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    func enrolmentContent() -> [UInt8] {
        EnrolmentRequest(
            secret: Base64.url.encode(secret), publicKey: Base64.url.encode(publicKey), name: "device", facts: [:]
        ).json.serialised()
    }

    mutating func enrol() async throws {
        let answer = try await send(.post, "/api/v1/enrol", content: enrolmentContent())
        #expect(answer.status == 200)
        keyID = try #require(answer.json["device"]?.stringValue)
    }

    /// The headers that sign this, at this moment.
    func signed(
        _ method: HTTPRequest.Method, _ path: String, content: [UInt8], nonce: [UInt8]? = nil
    ) throws -> HTTPFields {
        let parts = path.split(separator: "?", maxSplits: 1)
        let digest = content.isEmpty ? nil : SignatureBase.contentDigest(sha256: Array(SHA256.hash(data: content)))
        let base = SignatureBase(
            method: method.rawValue, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            contentDigest: digest)
        let parameters = base.parameters(
            created: central.time.now / 1000 + skew,
            nonce: nonce ?? (0..<16).map { _ in UInt8.random(in: .min ... .max) }, keyID: keyID)
        let signature = try key.signature(for: Array(base.text(parameters: parameters).utf8))
        var headers: HTTPFields = [
            .signatureInput: "hf=" + parameters, .signature: "hf=:\(Base64.standard.encode(Array(signature))):",
        ]
        headers[.contentDigest] = digest
        return headers
    }

    func send(_ method: HTTPRequest.Method, _ path: String, content: [UInt8] = [], headers more: HTTPFields = [:])
        async throws -> Answer
    {
        var headers = try signed(method, path, content: content)
        headers.append(contentsOf: more)
        return try await central.answer(method, path, headers: headers, content: content)
    }

    /// Sends a batch of readings with these numbers.
    func deliver(_ numbers: ClosedRange<Int>, encoding: String = "gzip") async throws -> Answer {
        let lines =
            [
                #"{"spool":"\#(spool)","queue":"readings","first":\#(numbers.lowerBound),"last":\#(numbers.upperBound),"sent_ms":1}"#
            ]
            + numbers.map { #"{"w":"camera","t":\#($0),"b":"3e1a99d04c5b","m":\#($0),"v":{"fps":\#($0)}}"# }
        let text = Array(lines.joined(separator: "\n").utf8)
        return try await send(
            .post, "/api/v1/device/telemetry", content: encoding == "gzip" ? gzip(text) : text,
            headers: [.contentEncoding: encoding])
    }
}

extension DeviceUnderTest {
    /// The kinds and payloads of the commands that lie ready for it.
    func commands() async throws -> [CommandOrder] {
        let answer = try await send(.get, "/api/v1/device/commands")
        return try (answer.json["commands"]?.arrayValue ?? []).map { try CommandOrder(json: $0) }
    }

    /// Says how a command stands, as its event with this number.
    func say(_ state: CommandState, of command: String, _ message: String = "", number: Int) async throws {
        let lines = [
            #"{"spool":"\#(spool)","queue":"events","first":\#(number),"last":\#(number),"sent_ms":1}"#,
            #"{"e":"command","t":1,"b":"3e1a99d04c5b","m":1,"id":"\#(command)","state":"\#(state.rawValue)","message":"\#(message)"}"#,
        ]
        let answer = try await send(
            .post, "/api/v1/device/telemetry", content: Array(lines.joined(separator: "\n").utf8))
        #expect(answer.json == ["acknowledged": .int(Int64(number))])
    }
}

let spool = String(repeating: "c", count: 32)
