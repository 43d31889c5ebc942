import ControlProtocol
import Foundation
import LinuxSystem
import MonitorProtocol
import Probing
import SelfPreservation
import TestSupport
import Testing

@testable import MonitorRuntime

/// What Prometheus gets.
@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
    static let promtool = "/usr/bin/promtool"

    private func richFixture() throws -> MonitorFixture {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 80, type: "cpu \"quoted\\ thermal")
        try fixture.setZone(1, 50)
        var policy = MonitorFixture.policy
        policy.quantities[.memoryPressure] = LadderPolicy([.shed: Threshold(enter: 90, leave: 10)], dwell: .seconds(1))
        policy.quantities[.load] = LadderPolicy([.shed: Threshold(enter: 1e6, leave: 10)], dwell: .seconds(1))
        policy.quantities[.fileSystem("/")] = LadderPolicy(
            [.shed: Threshold(enter: 100, leave: 99)], dwell: .seconds(1))
        policy.forecast = ForecastPolicy(horizon: .milliseconds(100), tolerance: 3)
        let schedule = ProbeSchedule(
            interval: .milliseconds(10), timeout: .seconds(1), failures: 3, startGrace: .zero)
        let probe = NetworkProbe(name: "p", kind: .tcp, address: "::1", port: 1, schedule: schedule)
        try fixture.send(.worker(MonitorFixture.worker("probed", isEssential: true, probes: [probe])))
        try fixture.begin(policy, metricsPort: 0)
        try fixture.loop.pump("all are shed") { fixture.shed.count == 3 }
        try fixture.loop.pump("everything is known") {
            let health = try fixture.health()
            return health.quantities.count == 3 && health.quantities.allSatisfy { $0.value != nil }
                && health.workers.allSatisfy { $0.processorPercent != nil }
                && health.workers.contains { $0.probes.first?.state == "failing" }
                && health.sensors.contains { $0.forecast?.meanError != nil }
        }
        return fixture
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: promtool), "needs promtool"))
    func `promtool has nothing to say about them`() throws {
        let fixture = try richFixture()
        let text = try fixture.ask(.metrics)
        let promtool = Process()
        promtool.executableURL = URL(filePath: MetricsTests.promtool)
        promtool.arguments = ["check", "metrics"]
        let (input, output) = (Foundation.Pipe(), Foundation.Pipe())
        (promtool.standardInput, promtool.standardOutput, promtool.standardError) = (input, output, output)
        try promtool.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        promtool.waitUntilExit()
        #expect(promtool.terminationStatus == 0)
        #expect(String(decoding: said, as: UTF8.self).isEmpty)
    }

    @Test func `they say what is known`() throws {
        let fixture = try richFixture()
        let lines = Set(try fixture.ask(.metrics).split(separator: "\n").map(String.init))
        for line in [
            "holdfast_level 2", "holdfast_cause_level{cause=\"heat\"} 2", "holdfast_throttled 1",
            "holdfast_sensor_temperature_celsius{sensor=\"thermal_zone0/cpu \\\"quoted\\\\ thermal\"} 80",
            "holdfast_worker_shed{worker=\"a\",cause=\"heat\"} 1",
            "holdfast_worker_state{worker=\"probed\",supervisor=\"root\",state=\"ready\"} 1",
            "holdfast_worker_restarts_total{worker=\"a\"} 0", "holdfast_probe_success{worker=\"probed\",probe=\"p\"} 0",
            "# TYPE holdfast_worker_cpu_seconds_total counter",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func `they are served on the port, and nothing else is`() throws {
        let fixture = try richFixture()
        let port = try #require(fixture.runtime?.metricsPort)
        func ask(_ request: String) throws -> String {
            let client = try LoopbackClient(fixture.loop, port: port, request: request)
            try fixture.loop.pump("an answer") { client.isClosed }
            return client.answer
        }
        let answer = try ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(answer.contains("\nholdfast_level 2\n"))
        #expect(try ask("GET / HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.0 404 "))
        #expect(try ask("POST /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.0 405 "))
        #expect(try ask("garbage\r\n\r\n").hasPrefix("HTTP/1.0 400 "))
        #expect(!(try ask("HEAD /metrics HTTP/1.0\r\n\r\n")).contains("holdfast_level"))
        #expect(try ask("GET /metrics HTTP/1.1\r\nX: " + String(repeating: "x", count: 20_000)).isEmpty)
    }

    @Test func `clients that say nothing have an end, and keep nobody else away for long`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        try fixture.begin(metricsPort: 0)
        let port = try #require(fixture.runtime?.metricsPort)
        let idlers = try (0..<20).map { _ in try LoopbackClient(fixture.loop, port: port, request: "") }
        try fixture.loop.pump("those beyond the limit are closed") { idlers.count(where: \.isClosed) == 12 }
        try fixture.loop.pump("the others in time") { idlers.allSatisfy(\.isClosed) }
        let client = try LoopbackClient(fixture.loop, port: port, request: "GET /metrics HTTP/1.0\r\n\r\n")
        try fixture.loop.pump("an answer") { client.isClosed }
        #expect(client.answer.contains("holdfast_level 0"))
    }

    @Test func `a port that somebody has is told of once, and taken when it is free`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        var other: LoopbackListener? = try LoopbackListener(port: 0)
        let port = try #require(other?.port)
        try fixture.begin(metricsPort: port)
        try fixture.pumpRounds(5)
        #expect(fixture.warnings == ["metrics are not served: bind 127.0.0.1:\(port): Address already in use"])
        other = nil
        try fixture.loop.pump("it is served") { fixture.runtime?.metricsPort == port }
        try fixture.configure()
        try fixture.loop.pump("not any more") { fixture.runtime?.metricsPort == nil }
    }
}
