import ControlProtocol
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation
import TestSupport
import Testing

@testable import MonitorRuntime

/// A monitor on a loop that the test pumps, with the test as holdfastd at the other end of a real channel, and a folder of
/// its own in the place of /sys/class/thermal.
final class MonitorFixture {
    let directory: TemporaryDirectory
    let loop: EventLoop
    private(set) var runtime: MonitorRuntime?
    private(set) var reports: [MonitorReport] = []
    private(set) var isHopeless = false
    private var channel: UnixStream?
    private var registration: EventLoop.Registration?
    private var answers: [Int: String] = [:]
    private var complete: Set<Int> = []
    private var questions = 0
    private(set) var largestPacket = 0
    private(set) var rounds = 0

    /// Short, for the tests wait for real time.
    static let policy = PreservationPolicy(
        temperature: LadderPolicy(
            [
                .throttle: Threshold(enter: 70, leave: 66), .shed: Threshold(enter: 75, leave: 68),
                .critical: Threshold(enter: 90, leave: 80),
            ], dwell: .milliseconds(100)),
        shedInterval: .milliseconds(100), restoreInterval: .milliseconds(100), sensorTimeout: .milliseconds(1200),
        blindHold: .milliseconds(800))

    init(proc: String? = nil) throws {
        directory = try TemporaryDirectory()
        loop = try EventLoop()
        try start(proc: proc)
    }

    /// A monitor in the place of the one before, which is gone as kill -9 would have it.
    func start(proc: String? = nil) throws {
        runtime = nil
        if let registration { loop.unregister(registration) }
        let (ours, theirs) = try UnixStream.makePacketPair()
        channel = ours
        registration = try loop.register(ours.rawValue, .readable) { [weak self] _ in self?.receive() }
        var sources = MonitorRuntime.Sources()
        sources.thermal = directory.path
        sources.usesLibrary = false
        if let proc { sources.proc = proc }
        let runtime = try MonitorRuntime(
            loop: loop, channel: theirs, environment: ServiceEnvironment(), sources: sources)
        runtime.onHopeless = { [weak self] in self?.isHopeless = true }
        runtime.onRoundEnded = { [weak self] in self?.rounds += 1 }
        try runtime.start()
        self.runtime = runtime
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    // MARK: As holdfastd

    func send(_ request: MonitorRequest, descriptor: Int32? = nil) throws {
        let bytes = request.json.serialised()
        while true {
            if case .done? = try channel?.send(bytes, descriptors: descriptor.map { [$0] } ?? []) { return }
            try loop.runOnce(timeout: .milliseconds(20))
        }
    }

    func sendRaw(_ bytes: [UInt8]) throws {
        _ = try channel?.send(bytes)
    }

    /// Configures it, tells of workers, and lets it begin.
    func begin(
        _ policy: PreservationPolicy = policy, workers: [String] = ["a", "b", "c"], sensors: [SensorRule] = [],
        metricsPort: Int? = nil, shed: [Cause: [String]] = [:]
    ) throws {
        try configure(policy, sensors: sensors, metricsPort: metricsPort, shed: shed)
        for (index, name) in workers.enumerated() { try send(.worker(MonitorFixture.worker(name, order: index))) }
        try send(.workersComplete)
        try loop.pump("it is ready") { reports.contains(.ready) }
    }

    func configure(
        _ policy: PreservationPolicy = policy, sensors: [SensorRule] = [], metricsPort: Int? = nil,
        shed: [Cause: [String]] = [:]
    ) throws {
        try send(
            .configure(
                MonitorSettings(
                    runtimeName: "bench", policy: policy, interval: .milliseconds(20), sensors: sensors,
                    metricsPort: metricsPort, shed: shed)))
    }

    static func worker(
        _ name: String, order: Int = 0, isEssential: Bool = false, state: String = "ready", instance: UInt64? = 1,
        pid: Int? = nil, probes: [NetworkProbe] = []
    ) -> MonitoredWorker {
        MonitoredWorker(
            name: name, supervisor: "root", state: state, isEssential: isEssential, shedOrder: order, restarts: 0,
            instance: instance, pid: pid ?? Int(SystemCall.processID()), probes: probes)
    }

    func ask(_ question: MonitorRequest.Question) throws -> String {
        questions += 1
        let id = questions
        try send(.question(id: id, question))
        try loop.pump("an answer") { complete.contains(id) }
        return answers[id] ?? ""
    }

    func health() throws -> HealthReport {
        let text = try ask(.health)
        return try HealthReport(json: try JSONValue.parse(Array(text.utf8), limits: .reply))
    }

    func forgetReports() { reports = [] }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case .done(let message)? = try? channel?.receive(into: buffer), message.count > 0 {
                largestPacket = max(largestPacket, message.count)
                guard let json = try? JSONValue.parse(Array(buffer[..<message.count])),
                    let report = try? MonitorReport(json: json)
                else {
                    Issue.record("a report cannot be read")
                    continue
                }
                if case .answer(let id, let part, let isLast) = report {
                    answers[id, default: ""] += part
                    if isLast { complete.insert(id) }
                } else {
                    reports.append(report)
                }
            }
        }
    }

    // MARK: As the hardware

    /// Sets a thermal zone's temperature, in degrees.
    func setZone(_ number: Int, _ celsius: Double, type: String = "cpu-thermal") throws {
        try setZone(number, text: "\(Int(celsius * 1000))\n", type: type)
    }

    /// Sets what a zone's file says, in one step.
    func setZone(_ number: Int, text: String, type: String = "cpu-thermal") throws {
        let folder = "thermal_zone\(number)"
        try directory.write("\(folder)/type", type + "\n")
        try directory.write("\(folder)/new", text)
        try SystemCall.rename("\(directory.path)/\(folder)/new", to: "\(directory.path)/\(folder)/temp")
    }

    /// Makes a zone whose file nobody ever answers: opening it blocks.
    func makeBlockingZone(_ number: Int) throws -> BlockingZone {
        let folder = "\(directory.path)/thermal_zone\(number)"
        try directory.write("thermal_zone\(number)/type", "blocking\n")
        try? SystemCall.removeFile("\(folder)/temp")
        try SystemCall.makeFIFO("\(folder)/temp")
        return BlockingZone(path: "\(folder)/temp")
    }

    // MARK: What came

    var shed: [String] { reports.compactMap { if case .shed(let worker, _) = $0 { worker } else { nil } } }
    var restored: [String] { reports.compactMap { if case .restore(let worker, _) = $0 { worker } else { nil } } }
    var warnings: [String] { reports.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
    var levels: [Level] { reports.compactMap { if case .levelChanged(_, _, let to, _) = $0 { to } else { nil } } }
    var reasons: [String] { reports.compactMap { if case .levelChanged(_, _, _, let why) = $0 { why } else { nil } } }

    func notes(_ kind: MonitorReport.Note) -> [String] {
        reports.compactMap { if case .noted(kind, _, let message) = $0 { message } else { nil } }
    }

    /// Lets it read everything a few times more.
    func pumpRounds(_ count: Int = 3) throws {
        let wanted = rounds + count
        try loop.pump("\(count) rounds") { rounds >= wanted }
    }
}

/// A FIFO in the place of a sensor. Let go of, whoever is stuck in it gets an end of file.
final class BlockingZone {
    private let path: String

    init(path: String) { self.path = path }

    deinit {
        for _ in 0..<4 { _ = try? SystemCall.open(path, [.readWrite, .nonBlocking]) }
    }
}
