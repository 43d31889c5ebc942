import ControlProtocol
import FleetAPI
import LinuxSystem
import MonotonicTime
import Spool
import TestSupport
import Testing
import UplinkProtocol

@testable import UplinkRuntime

/// An uplink on a loop that the test pumps, with the test as holdfastd at the other end of a real channel.
final class UplinkFixture {
    let directory: TemporaryDirectory
    let loop: EventLoop
    private(set) var runtime: UplinkRuntime?
    private(set) var reports: [UplinkReport] = []
    private(set) var isHopeless = false
    private var channel: UnixStream?
    private var registration: EventLoop.Registration?
    private var answers: [Int: String] = [:]
    private var complete: Set<Int> = []
    private var questions = 0
    private var control: [ControlPeer] = []
    let bootID: String

    /// What holdfastd has to tell.
    var events: [EventReport] = []
    var incidents: [IncidentReport] = []
    /// Methods that were called, but for those that ask.
    private(set) var calls: [String] = []
    /// What holdfastd knows to be carried out by plugins.
    var plugins: [PluginReport] = []
    /// Calls of Execute that have no end yet, by their ids.
    private var executions: [String: [ControlPeer]] = [:]
    /// Methods that are never answered.
    var unanswered: Set<String> = []

    init(bootID: String = "3e1a99d0-4c5b-4000-8000-000000000001") throws {
        directory = try TemporaryDirectory()
        loop = try EventLoop()
        self.bootID = bootID
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    var settings: UplinkSettings {
        UplinkSettings(
            name: "bench", folder: "\(directory.path)/uplink", spoolFolder: "\(directory.path)/spool",
            labels: ["site": "lab"], flushInterval: .milliseconds(20), events: .init(quota: 1 << 20),
            readings: .init(quota: 4 << 20))
    }

    /// An uplink in the place of the one before, which is gone as kill -9 would have it.
    func start(_ settings: UplinkSettings? = nil) throws {
        runtime = nil
        control = []
        reports = []
        if let registration { loop.unregister(registration) }
        let (ours, theirs) = try UnixStream.makePacketPair()
        channel = ours
        registration = try loop.register(ours.rawValue, .readable) { [weak self] _ in self?.receive() }
        let runtime = try UplinkRuntime(
            loop: loop, channel: theirs, environment: ServiceEnvironment(), bootID: bootID,
            jitter: Jitter(isNone: true), slowTime: .seconds(1))
        runtime.onHopeless = { [weak self] in self?.isHopeless = true }
        try runtime.start()
        self.runtime = runtime
        try send(.configure(settings ?? self.settings))
        try loop.pump("it is ready") { reports.contains(.ready) }
    }

    func kill() {
        runtime = nil
        control = []
    }

    func send(_ request: UplinkRequest, descriptor: Int32? = nil) throws {
        let bytes = request.json.serialised()
        while true {
            if case .done? = try channel?.send(bytes, descriptors: descriptor.map { [$0] } ?? []) { return }
            try loop.runOnce(timeout: .milliseconds(20))
        }
    }

    func ask(_ question: UplinkRequest.Question) throws -> JSONValue {
        questions += 1
        let id = questions
        try send(.question(id: id, question))
        try loop.pump("an answer") { complete.contains(id) }
        return try JSONValue.parse(Array((answers[id] ?? "").utf8), limits: .reply)
    }

    func status() throws -> UplinkStatus { try UplinkStatus(json: try ask(.status)) }

    func state() -> UplinkStatus.State? { (try? status())?.state }

    func enrol(_ token: EnrolmentToken) throws {
        let answer = try ask(.enrol(token: token.text))
        #expect(answer["refused"] == .null, "\(answer.text)")
    }

    /// Enrols, and waits for the link.
    func connect(_ central: CentralProcess) throws {
        try enrol(central.token)
        try loop.pump("it is connected", within: .seconds(20)) { state() == .connected }
    }

    /// Puts readings into the spool, by way of the intake.
    func measure(_ numbers: some Sequence<Int>) {
        for number in numbers { runtime?.take([("n", .int(Int64(number)))], of: "sensor") }
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case .done(let message)? = try? channel?.receive(into: buffer), message.count > 0 {
                guard let json = try? JSONValue.parse(Array(buffer[..<message.count])),
                    let report = try? UplinkReport(json: json)
                else {
                    Issue.record("a report cannot be read")
                    continue
                }
                take(report)
            }
        }
    }

    private func take(_ report: UplinkReport) {
        switch report {
        case .answer(let id, let part, let isLast):
            answers[id, default: ""] += part
            if isLast { complete.insert(id) }
        case .openControl(let id):
            guard let (ours, theirs) = try? UnixStream.makeStreamPair() else { return }
            if let peer = try? ControlPeer(loop: loop, stream: ours, fixture: self) { control.append(peer) }
            try? send(.control(id: id), descriptor: theirs.rawValue)
        case .ready, .noted, .warning, .unknown: reports.append(report)
        }
    }

    /// Tells those who follow.
    func happen(_ event: EventReport) {
        events.append(event)
        for peer in control { peer.tell(event) }
    }

    /// A call of Execute has come.
    func execute(_ call: VarlinkCall, for peer: ControlPeer) {
        let id = call.parameters["id"]?.stringValue ?? ""
        calls.append("Execute \(id)")
        executions[id, default: []].append(peer)
        peer.send(VarlinkReply(ExecutionReply(state: .running, plugin: "lamp"), continues: true))
    }

    /// Says something of a command to whoever has asked for it.
    func tell(_ reply: ExecutionReply, of id: String) {
        for peer in executions[id] ?? [] { peer.send(VarlinkReply(reply, continues: !reply.isLast)) }
        if reply.isLast { executions[id] = nil }
    }

    /// The connection of a command breaks.
    func breakConnection(of id: String) {
        for peer in executions.removeValue(forKey: id) ?? [] {
            control.removeAll { $0 === peer }
        }
    }

    func reply(to call: VarlinkCall) -> VarlinkReply? {
        let method = String(call.method.split(separator: ".").last ?? "")
        if unanswered.contains(method) { return nil }
        switch method {
        case "Status":
            return VarlinkReply(
                StatusReport(
                    runtime: RuntimeReport(version: "0", pid: 1, state: "running", uptime: 5, name: "bench")))
        case "Incidents": return VarlinkReply(IncidentsReply(incidents: incidents))
        case "Plugins": return VarlinkReply(PluginsReply(plugins: plugins))
        case "Health": return RuntimeError.monitorUnavailable(message: "none here").reply
        default:
            calls.append("\(method) \(call.parameters["name"]?.stringValue ?? "")")
            return call.parameters["name"]?.stringValue == "nobody"
                ? RuntimeError.noSuchWorker(name: "nobody").reply : VarlinkReply()
        }
    }
}

/// holdfastd's end of a control connection.
final class ControlPeer {
    private let loop: EventLoop
    private let stream: UnixStream
    private weak var fixture: UplinkFixture?
    private var registration: EventLoop.Registration?
    private var framer = MessageFramer()
    private var follows = false

    init(loop: EventLoop, stream: UnixStream, fixture: UplinkFixture) throws {
        self.loop = loop
        self.stream = stream
        self.fixture = fixture
        registration = try loop.register(stream.rawValue, .readable) { [weak self] _ in self?.receive() }
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    func tell(_ event: EventReport) {
        guard follows else { return }
        send(
            VarlinkReply(
                EventsReply(event: event, firstAvailable: fixture?.events.first?.sequence ?? 1), continues: true))
    }

    func send(_ reply: VarlinkReply) {
        _ = try? stream.send(MessageFramer.frame(reply))
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { bytes in
            while case .done(let message)? = try? stream.receive(into: bytes), message.count > 0 {
                try? framer.append(UnsafeRawBufferPointer(rebasing: bytes[..<message.count]))
            }
        }
        while let message = try? framer.next(), let json = try? JSONValue.parse(message),
            let call = try? VarlinkCall(json: json)
        {
            if call.method.hasSuffix(".Events") {
                follows = true
                for event in fixture?.events ?? [] { tell(event) }
            } else if call.method.hasSuffix(".Execute") {
                fixture?.execute(call, for: self)
            } else if let reply = fixture?.reply(to: call) {
                send(reply)
            }
        }
    }
}
