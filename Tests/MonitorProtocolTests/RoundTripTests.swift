import ControlProtocol
import MonitorProtocol
import Probing
import SelfPreservation
import Testing

/// Everything that is said comes out as it went in.
@Suite struct RoundTripTests {
    private static let policy = PreservationPolicy(
        temperature: LadderPolicy(
            [.throttle: Threshold(enter: 70, leave: 66.5), .shed: Threshold(enter: 75, leave: 68)],
            dwell: .milliseconds(1500)),
        belowLimit: LadderPolicy([.critical: Threshold(enter: -3, leave: -6)], dwell: .seconds(30)),
        quantities: [
            .memoryPressure: LadderPolicy([.shed: Threshold(enter: 40, leave: 10)], dwell: .seconds(20)),
            .fileSystem("/var/lib"): LadderPolicy([.throttle: Threshold(enter: 95, leave: 90)], dwell: .seconds(5)),
        ],
        shedInterval: .seconds(5), restoreInterval: .seconds(10),
        forecast: ForecastPolicy(horizon: .seconds(30), tolerance: 2.5), sensorTimeout: .seconds(10),
        frozenAfter: .seconds(3600), blindHold: .seconds(60), blindLevel: .shed)

    private static let schedule = ProbeSchedule(
        interval: .seconds(10), timeout: .milliseconds(1500), failures: 3, startGrace: .seconds(30))

    static let requests: [MonitorRequest] = [
        .configure(
            MonitorSettings(
                runtimeName: "press", policy: policy, interval: .seconds(1),
                sensors: [SensorRule(pattern: "acpitz-*", offset: -2.5), SensorRule(pattern: "*", isIgnored: true)],
                metricsPort: 9105, shed: [.heat: ["w1", "w2"], .memory: []])),
        .configure(
            MonitorSettings(
                runtimeName: "", policy: PreservationPolicy(temperature: LadderPolicy([:], dwell: .zero)),
                interval: .milliseconds(250))),
        .pressureTrigger(.processor),
        .worker(
            MonitoredWorker(
                name: "camera", supervisor: "vision", state: "ready", isEssential: true, shedOrder: 7, restarts: 3,
                instance: 1 << 40, pid: 4711, cgroup: "holdfast/camera",
                probes: [
                    NetworkProbe(name: "port", kind: .tcp, address: "127.0.0.1", port: 80, schedule: schedule),
                    NetworkProbe(
                        name: "page", kind: .http(path: "/health?x=1", statuses: 200...299, bodyContains: "ok"),
                        address: "::1", port: 65_535, schedule: schedule),
                ])),
        .worker(
            MonitoredWorker(
                name: "w", supervisor: "root", state: "stopped", isEssential: false, shedOrder: -1, restarts: 0)),
        .forget(worker: "camera"), .workersComplete, .question(id: 9, .metrics), .question(id: 10, .health),
    ]

    static let reports: [MonitorReport] = [
        .ready, .shed(worker: "a", .heat), .restore(worker: "a", .memory), .throttle(true),
        .levelChanged(.pressure, from: .normal, to: .critical, why: "io is at 80 %"),
        .noted(.sensorFailed, worker: nil, message: "says 300 °C"),
        .noted(.probeFailed, worker: "a", message: "refused"),
        .unhealthy(worker: "a", instance: 12, reason: "status 500"), .answer(id: 3, part: "{\"a\"", isLast: false),
        .warning("no libsensors"),
    ]

    @Test(arguments: requests) func requestsComeOutAsTheyWentIn(_ request: MonitorRequest) throws {
        let bytes = request.json.serialised()
        #expect(try MonitorRequest(json: JSONValue.parse(bytes)) == request)
    }

    @Test(arguments: reports) func reportsComeOutAsTheyWentIn(_ report: MonitorReport) throws {
        let bytes = report.json.serialised()
        #expect(try MonitorReport(json: JSONValue.parse(bytes)) == report)
    }

    @Test func whatANewerOneSaysIsUnknownAndNoError() throws {
        #expect(try MonitorRequest(json: ["type": "dance"]) == .unknown(type: "dance"))
        #expect(try MonitorRequest(json: ["type": "question", "question": "why"]) == .unknown(type: "question"))
        #expect(try MonitorReport(json: ["type": "dance"]) == .unknown(type: "dance"))
    }
}
