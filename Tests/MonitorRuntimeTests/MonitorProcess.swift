import ControlProtocol
import Glibc
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation
import TestSupport
import Testing

/// The built holdfast-monitor below `scripts/with-fake-sensors`, with the real libsensors, and the test as holdfastd.
final class MonitorProcess {
    let directory: TemporaryDirectory
    let child: ChildProcess
    private let channel: UnixStream
    private(set) var reports: [MonitorReport] = []
    private var answer: (id: Int, text: String, isComplete: Bool) = (0, "", false)

    /// The folder of sources that this was built from, and of its products.
    private static let package = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
    private static var binary: String {
        // The test bundle, an argument of its runner, is beside the programs.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)]) + "/holdfastd"
    }

    /// Whether a namespace with sensors of its own can be made here.
    static var isPossible: Bool { SystemCall.effectiveUserID() == 0 }

    init(prepare: (TemporaryDirectory) throws -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        try prepare(directory)
        let (ours, theirs) = try UnixStream.makePacketPair()
        channel = ours
        let link = "\(directory.path)/holdfast-monitor"
        #expect(symlink(Self.binary, link) == 0)
        var request = SpawnRequest(
            executable: "/bin/sh",
            arguments: ["sh", "\(Self.package)/scripts/with-fake-sensors", directory.path, "--", link],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        request.inherited = [(source: theirs.rawValue, target: 3)]
        request.output = .descriptors(output: 2, error: 2)
        child = try ChildProcess.spawn(request)
    }

    /// Whether it may outlive this.
    var keepsChild = false

    deinit {
        if !keepsChild { try? child.signal(SignalNumber.kill) }
    }

    func send(_ request: MonitorRequest) throws {
        let bytes = request.json.serialised()
        while true {
            if case .done = try channel.send(bytes) { return }
            _ = try SystemCall.wait(for: channel.rawValue, .writable, timeout: .seconds(10))
        }
    }

    /// Waits for reports until the condition holds.
    func wait(
        _ what: Comment, within bound: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () throws -> Bool
    ) throws {
        let deadline = MonotonicClock.now() + bound
        while try !condition() {
            let left = MonotonicClock.now().duration(to: deadline)
            guard left > .zero, try SystemCall.wait(for: channel.rawValue, .readable, timeout: left) else {
                Issue.record("never came: \(what); \(reports)", sourceLocation: sourceLocation)
                throw SystemError(call: "wait", errno: 0)
            }
            guard try receive() else {
                Issue.record("the monitor has ended: \(what)", sourceLocation: sourceLocation)
                throw SystemError(call: "wait", errno: 0)
            }
        }
    }

    /// Waits until the monitor has closed its end.
    func waitForEnd() throws {
        while try SystemCall.wait(for: channel.rawValue, .readable, timeout: .seconds(30)), try receive() {}
        #expect(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(30)))
    }

    private func receive() throws -> Bool {
        try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case .done(let message) = try channel.receive(into: buffer) {
                guard message.count > 0 else { return false }
                let report = try MonitorReport(json: try JSONValue.parse(Array(buffer[..<message.count])))
                guard case .answer(let id, let part, let isLast) = report else {
                    reports.append(report)
                    continue
                }
                answer = (id, id == answer.id ? answer.text + part : part, isLast)
            }
            return true
        }
    }

    func ask(_ question: MonitorRequest.Question) throws -> String {
        let id = answer.id + 1
        answer = (id, "", false)
        try send(.question(id: id, question))
        try wait("an answer") { answer.isComplete }
        return answer.text
    }

    func health() throws -> HealthReport {
        try HealthReport(json: try JSONValue.parse(Array(try ask(.health).utf8), limits: .reply))
    }

    /// Asks again with each sample until it is as expected.
    func waitForHealth(_ what: Comment, _ condition: (HealthReport) -> Bool) throws -> HealthReport {
        let deadline = MonotonicClock.now() + .seconds(20)
        while MonotonicClock.now() < deadline {
            let health = try health()
            if condition(health) { return health }
            _ = try SystemCall.wait(for: channel.rawValue, .readable, timeout: .milliseconds(20))
        }
        Issue.record("never came: \(what)")
        return try health()
    }
}
