import ControlProtocol
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation
import Supervision
import Testing

@testable import SupervisorRuntime

/// What a `holdfast-monitor` that the test plays is told over a real channel, and what its words come to.
@Suite(.timeLimit(.minutes(1))) final class MonitorLinkTests {
    let loop: EventLoop
    let link: MonitorLink
    private var reports: [MonitorReport] = []
    private var described = 0

    init() throws {
        loop = try EventLoop()
        link = MonitorLink(loop: loop)
        link.onReport = { [unowned self] in reports.append($0) }
        link.describe = { [unowned self] workers in
            described += workers.count
            return workers.map(Self.worker)
        }
    }

    private static func worker(_ id: WorkerID) -> MonitoredWorker {
        MonitoredWorker(
            name: "worker-\(id.rawValue)", supervisor: "root", state: "ready", isEssential: false, shedOrder: 0,
            restarts: 0)
    }

    private static func settings(_ name: String) -> MonitorSettings {
        MonitorSettings(
            runtimeName: name, policy: PreservationPolicy(temperature: LadderPolicy([:], dwell: .zero)),
            interval: .seconds(1))
    }

    /// What has come, with how many descriptors each.
    private func read(_ stream: borrowing UnixStream) throws -> [(request: MonitorRequest, descriptors: Int)] {
        var found: [(MonitorRequest, Int)] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case .done(let message) = try buffer.withUnsafeMutableBytes({ try stream.receive(into: $0) }),
            message.count > 0
        {
            let json = try JSONValue.parse(Array(buffer[..<message.count]))
            found.append((try MonitorRequest(json: json), message.descriptors.count))
        }
        return found
    }

    /// Turns the loop until what has come satisfies the predicate.
    private func read(
        _ stream: borrowing UnixStream, until isEnough: ([MonitorRequest]) -> Bool
    ) throws -> [(request: MonitorRequest, descriptors: Int)] {
        var found: [(request: MonitorRequest, descriptors: Int)] = []
        let deadline = MonotonicClock.now() + .seconds(10)
        repeat {
            try #require(MonotonicClock.now() < deadline, "came: \(found.map(\.request))")
            try loop.runOnce(timeout: .milliseconds(10))
            found += try read(stream)
        } while !isEnough(found.map(\.request))
        return found
    }

    private func say(_ report: MonitorReport, _ stream: borrowing UnixStream) throws {
        _ = try stream.send(report.json.serialised())
        try loop.runOnce(timeout: .seconds(1))
    }

    @Test func `a new process is told everything in order, and triggers come with their descriptors`() throws {
        link.onConnect = { [link] in
            link.configure(Self.settings("a"))
            if let file = try? SystemCall.open("/dev/null", .readOnly) { link.add(SharedDescriptor(file), of: .memory) }
            link.workersChanged([WorkerID(rawValue: 2), WorkerID(rawValue: 1)])
        }
        let stream = try link.connect()
        let packets = try read(stream) { $0.last == .workersComplete }
        #expect(
            packets.map(\.request) == [
                .configure(Self.settings("a")), .pressureTrigger(.memory),
                .worker(Self.worker(WorkerID(rawValue: 1))), .worker(Self.worker(WorkerID(rawValue: 2))),
                .workersComplete,
            ])
        #expect(packets.map(\.descriptors) == [0, 1, 0, 0, 0])
    }

    @Test func `a worker that changes a hundred times in a moment is told of once, and not before the moment is over`()
        throws
    {
        let stream = try link.connect()
        // What timers count from.
        let start = loop.now
        for _ in 0..<100 { link.workersChanged([WorkerID(rawValue: 7)]) }
        let packets = try read(stream) { $0.last == .workersComplete }
        #expect(packets.map(\.request) == [.worker(Self.worker(WorkerID(rawValue: 7))), .workersComplete])
        #expect(start.duration(to: MonotonicClock.now()) >= MonitorLink.gatheringTime)
        #expect(described == 1)
    }

    @Test func `a worker that has left is forgotten, and one of its name that came meanwhile is told after that`()
        throws
    {
        let stream = try link.connect()
        link.workersChanged([WorkerID(rawValue: 1)])
        link.workerLeft(WorkerID(rawValue: 1), "worker-1")
        link.workersChanged([WorkerID(rawValue: 3)])
        let packets = try read(stream) { $0.last == .workersComplete }
        #expect(
            packets.map(\.request) == [
                .forget(worker: "worker-1"), .worker(Self.worker(WorkerID(rawValue: 3))), .workersComplete,
            ])
    }

    @Test func `a process that reads nothing costs no memory, and learns the latest when it reads again`() throws {
        let stream = try link.connect()
        let workers = (0..<5000).map { WorkerID(rawValue: $0) }
        for _ in 0..<20 {
            link.workersChanged(workers)
            try loop.runOnce(timeout: .milliseconds(60))
        }
        // What the channel has not taken was not even described.
        #expect(described < 5000)
        let packets = try read(stream) { $0.last == .workersComplete }
        let told = packets.compactMap { if case .worker(let worker) = $0.request { worker.name } else { nil } }
        #expect(Set(told).count == 5000)
    }

    @Test func `what it asks for is passed on at once, and what nobody knows is passed over`() throws {
        let stream = try link.connect()
        try say(.ready, stream)
        #expect(link.isReady)
        _ = try stream.send(Array(#"{"type":"from-the-future"}"#.utf8))
        try loop.runOnce(timeout: .seconds(1))
        _ = try stream.send(Array("no JSON".utf8))
        try loop.runOnce(timeout: .seconds(1))
        try say(.shed(worker: "a", .heat), stream)
        #expect(reports == [.ready, .unknown(type: "from-the-future"), .shed(worker: "a", .heat)])
    }

    @Test func `the last words of a process that is gone count, and its successor is told anew`() throws {
        var connections = 0
        link.onConnect = { connections += 1 }
        do {
            let first = try link.connect()
            link.configure(Self.settings("unread"))
            try loop.runOnce(timeout: .milliseconds(100))
            _ = try first.send(MonitorReport.restore(worker: "a", .heat).json.serialised())
        }
        let second = try link.connect()
        #expect(reports == [.restore(worker: "a", .heat)])
        #expect(connections == 2)
        #expect(!link.isReady)
        link.workersChanged([WorkerID(rawValue: 1)])
        #expect(try read(second) { $0.last == .workersComplete }.count == 2)
    }

    @Test func `an answer in parts is put together`() throws {
        let stream = try link.connect()
        var answers: [String?] = []
        link.ask(.metrics) { answers.append($0) }
        link.ask(.health) { answers.append($0) }
        let asked = try read(stream) { $0.count == 2 }.map(\.request)
        #expect(asked == [.question(id: 1, .metrics), .question(id: 2, .health)])
        try say(.answer(id: 1, part: "a ", isLast: false), stream)
        try say(.answer(id: 2, part: "{}", isLast: true), stream)
        try say(.answer(id: 1, part: "1\n", isLast: true), stream)
        try say(.answer(id: 1, part: "once more", isLast: true), stream)
        #expect(answers == ["{}", "a 1\n"])
    }

    @Test func `who does not answer is waited for two seconds, and a late answer hurts nobody`() throws {
        let stream = try link.connect()
        var answers: [String?] = []
        let start = loop.now
        link.ask(.health) { answers.append($0) }
        while answers.isEmpty { try loop.runOnce(timeout: .seconds(5)) }
        #expect(answers == [nil])
        #expect(start.duration(to: MonotonicClock.now()) >= MonitorLink.answerTime)
        try say(.answer(id: 1, part: "{}", isLast: true), stream)
        #expect(answers == [nil])
    }

    @Test func `nobody waits for a process that is gone, or for the answers to too many questions`() throws {
        var answers: [String?] = []
        link.ask(.health) { answers.append($0) }
        #expect(answers == [nil])
        let stream = try link.connect()
        for _ in 0..<40 { link.ask(.health) { answers.append($0) } }
        #expect(answers.count == 9)
        link.disconnect()
        #expect(answers.count == 41)
        #expect(answers.allSatisfy { $0 == nil })
        withExtendedLifetime(stream) {}
    }
}
