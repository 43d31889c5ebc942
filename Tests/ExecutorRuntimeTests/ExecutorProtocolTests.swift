import ControlProtocol
import ExecutorProtocol
import Testing

struct ExecutorProtocolTests {
    private static let order = ExecutorOrder(
        role: .command, plugin: "deploy", file: "/opt/deploy.so", sha256: "ab", owner: 4_294_967_294, id: "c-1",
        kind: "bundle.deploy", timeLimit: .milliseconds(1500), grants: ["bundle", "artifact"],
        stateDirectory: "/var/lib/holdfast/plugins/deploy")

    private func overTheWire<Value: JSONConvertible>(_ value: Value) throws -> Value {
        try Value(json: JSONValue.parse(value.json.serialised(), limits: .request))
    }

    @Test(arguments: [
        ExecutorRequest.execute(order), .payload(part: "{\"a\":", isLast: false), .control, .telemetry, .host, .output,
        .hostEnded(HostEnd(.exited(3))), .hostEnded(HostEnd(.signaled(11), isOutOfMemory: true)),
        .hostEnded(HostEnd(.notStarted("no memory"))), .hostEnded(HostEnd(.unknown)), .cancel(reason: "ada"),
    ])
    func `every request survives the wire`(request: ExecutorRequest) throws {
        #expect(try overTheWire(request) == request)
    }

    @Test(arguments: [
        ExecutorReport.startHost, .progress(percent: 3, message: "x"), .progress(percent: nil, message: ""),
        .log(level: .output, line: "é\u{0}"), .result(part: "1", isLast: true), .ended(code: nil, message: nil),
        .ended(code: "crashed", message: "SIGSEGV"),
    ])
    func `every report survives the wire`(report: ExecutorReport) throws {
        guard case .log = report else { return #expect(try overTheWire(report) == report) }
        // NUL is nothing that a packet may have; those who make lines leave it out.
        #expect(throws: (any Error).self) { try overTheWire(report) }
    }

    @Test func `what a newer one says is known to be unknown`() throws {
        let json: JSONValue = ["type": "something"]
        #expect(try ExecutorRequest(json: json) == .unknown(type: "something"))
        #expect(try ExecutorReport(json: json) == .unknown(type: "something"))
    }
}
