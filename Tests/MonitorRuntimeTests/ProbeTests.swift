import ControlProtocol
import LinuxSystem
import MonitorProtocol
import Probing
import TestSupport
import Testing

@testable import MonitorRuntime

/// Probes against a real server, by what holdfastd hears of them.
@Suite(.timeLimit(.minutes(1))) struct ProbeTests {
    private static let schedule = ProbeSchedule(
        interval: .milliseconds(10), timeout: .milliseconds(150), failures: 3, startGrace: .zero)

    private func probe(
        _ kind: NetworkProbe.Kind, port: Int, schedule: ProbeSchedule = ProbeTests.schedule,
        address: String = "127.0.0.1"
    ) -> NetworkProbe {
        NetworkProbe(name: "health", kind: kind, address: address, port: port, schedule: schedule)
    }

    private func http(_ path: String = "/health", body: String? = nil) -> NetworkProbe.Kind {
        .http(path: path, statuses: 200...299, bodyContains: body)
    }

    /// Tells the monitor of one worker with one probe.
    private func tell(
        _ fixture: MonitorFixture, _ probe: NetworkProbe, state: String = "ready", instance: UInt64 = 7
    ) throws {
        try fixture.send(.worker(MonitorFixture.worker("w", state: state, instance: instance, probes: [probe])))
        try fixture.send(.workersComplete)
    }

    private func begin(_ probe: NetworkProbe) throws -> MonitorFixture {
        let fixture = try MonitorFixture()
        try fixture.begin(workers: [])
        try tell(fixture, probe)
        return fixture
    }

    private func unhealthy(_ fixture: MonitorFixture) -> [String] {
        fixture.reports.compactMap { if case .unhealthy("w", 7, let reason) = $0 { reason } else { nil } }
    }

    private func state(_ fixture: MonitorFixture) throws -> ProbeReport? {
        try fixture.health().workers.first { $0.name == "w" }?.probes.first
    }

    @Test(arguments: ["tcp", "http", "body"]) func `who answers is well`(kind: String) throws {
        let fixture = try MonitorFixture()
        let body = "{\"status\": \"ok\"}"
        let server = try LoopbackServer(
            fixture.loop, .answer("HTTP/1.1 204 No Content\r\nServer: test\r\n\r\n\(body)"))
        try fixture.begin(workers: [])
        try tell(
            fixture,
            probe(kind == "tcp" ? .tcp : http(body: kind == "body" ? "\"status\": \"ok\"" : nil), port: server.port))
        try fixture.loop.pump("several probes") { server.connectionCount >= 5 }
        #expect(
            try state(fixture) == ProbeReport(name: "health", kind: kind == "tcp" ? "tcp" : "http", state: "passing"))
        #expect(fixture.notes(.probeFailed).isEmpty)
        guard kind != "tcp" else { return }
        #expect(
            server.requests.first == """
                GET /health HTTP/1.0\r\nHost: 127.0.0.1:\(server.port)\r\nUser-Agent: holdfast-monitor\r\n\
                Connection: close\r\n\r\n
                """)
    }

    @Test(
        arguments: [
            ("HTTP/1.0 500 Internal Server Error\r\n\r\nok", "answered 500, expected 200 to 299"),
            ("HTTP/1.0 302 Found\r\nLocation: /\r\n\r\nok", "answered 302, expected 200 to 299"),
            ("HTTP/1.0 200 OK\r\nX: ok\r\n\r\nnot that", "does not answer with \"ok\""),
            ("SSH-2.0-OpenSSH_9.2\r\n", "was not answered in HTTP"), ("garbage", "was not answered in HTTP"),
            ("HTTP/1.0 200", "was not answered in HTTP"),
        ]) func `a wrong answer is a failure, and three are enough`(answer: String, reason: String) throws
    {
        let fixture = try MonitorFixture()
        let server = try LoopbackServer(fixture.loop, .answer(answer))
        try fixture.begin(workers: [])
        try tell(fixture, probe(http(body: "ok"), port: server.port))
        try fixture.loop.pump("it is unhealthy") { !unhealthy(fixture).isEmpty }
        let whole = "GET http://127.0.0.1:\(server.port)/health \(reason)"
        #expect(unhealthy(fixture) == ["the probe health has failed 3 times: \(whole)"])
        #expect(fixture.notes(.probeFailed) == ["the probe health fails: \(whole)"])
        try fixture.loop.pump("more probes") { server.connectionCount >= 8 }
        #expect(unhealthy(fixture).count == 1, "once is enough")
        server.behaviour = .answer("HTTP/1.0 200 OK\r\n\r\nok")
        try fixture.loop.pump("it recovers") { fixture.notes(.probeRecovered).count == 1 }
        #expect(try state(fixture)?.state == "passing")
    }

    @Test func `nobody at the port is a failure`() throws {
        let fixture = try MonitorFixture()
        let port = try LoopbackListener(port: 0).port
        try fixture.begin(workers: [])
        try tell(fixture, probe(.tcp, port: port))
        try fixture.loop.pump("it is unhealthy") { !unhealthy(fixture).isEmpty }
        #expect(unhealthy(fixture) == ["the probe health has failed 3 times: 127.0.0.1:\(port): Connection refused"])
    }

    @Test func `another address than this machine's is refused, and so is a path that is none`() throws {
        let fixture = try begin(probe(.tcp, port: 80, address: "192.0.2.1"))
        try fixture.loop.pump("it is unhealthy") { !unhealthy(fixture).isEmpty }
        #expect(unhealthy(fixture)[0].hasSuffix("192.0.2.1:80: Cannot assign requested address"))
        let second = try begin(probe(http("/a\r\nX: y"), port: 80))
        try second.loop.pump("it is unhealthy") { !unhealthy(second).isEmpty }
        #expect(unhealthy(second)[0].hasSuffix("is no path for http"))
    }

    @Test(
        arguments: ["hang", "trickle of a status", "trickle of a head", "trickle of a body"])
    func `who does not come to an end has failed by the timeout`(how: String) throws {
        let fixture = try MonitorFixture()
        let behaviours: [String: LoopbackServer.Behaviour] = [
            "trickle of a status": .trickle("HTTP/1.0 200"), "trickle of a head": .trickle("HTTP/1.0 200 OK\r\nX: "),
            "trickle of a body": .trickle("HTTP/1.0 200 OK\r\n\r\n"),
        ]
        let server = try LoopbackServer(fixture.loop, behaviours[how] ?? .hang)
        try fixture.begin(workers: [])
        try tell(fixture, probe(http(body: "ok"), port: server.port))
        try fixture.loop.pump("it is unhealthy") { !unhealthy(fixture).isEmpty }
        #expect(unhealthy(fixture) == ["the probe health has failed 3 times: no answer within 150 ms"])
    }

    @Test func `an answer that floods is read up to a limit`() throws {
        let fixture = try MonitorFixture()
        let server = try LoopbackServer(
            fixture.loop, .answer("HTTP/1.0 200 OK\r\n\r\n" + String(repeating: "o", count: 100_000)))
        try fixture.begin(workers: [])
        try tell(fixture, probe(http(body: "ok"), port: server.port))
        try fixture.loop.pump("it is unhealthy") { !unhealthy(fixture).isEmpty }
        #expect(unhealthy(fixture)[0].hasSuffix("does not answer with \"ok\" in its first 64 KiB"))
    }

    @Test(arguments: ["paused", "stopping", "starting", "backing-off", "held"])
    func `who does not run freely is not probed, and nothing of before counts`(other: String) throws {
        let fixture = try MonitorFixture()
        let server = try LoopbackServer(fixture.loop, .answer("HTTP/1.0 500 No\r\n\r\n"))
        let schedule = ProbeSchedule(
            interval: .milliseconds(10), timeout: .milliseconds(500), failures: 1000, startGrace: .zero)
        try fixture.begin(workers: [])
        try tell(fixture, probe(http(), port: server.port, schedule: schedule))
        try fixture.loop.pump("probes") { try state(fixture)?.failures ?? 0 >= 3 }
        try tell(fixture, probe(http(), port: server.port, schedule: schedule), state: other)
        #expect(try state(fixture)?.state == "suspended")
        let before = server.connectionCount
        try fixture.pumpRounds(10)
        #expect(server.connectionCount <= before + 1, "one may have been under way")
        try tell(fixture, probe(http(), port: server.port, schedule: schedule))
        #expect(try state(fixture)?.failures == 0)
        try fixture.loop.pump("probes again") { server.connectionCount >= before + 3 }
    }

    @Test func `a new process gets a new grace`() throws {
        let fixture = try MonitorFixture()
        let server = try LoopbackServer(fixture.loop, .answer("HTTP/1.0 500 No\r\n\r\n"))
        let schedule = ProbeSchedule(
            interval: .milliseconds(5), timeout: .milliseconds(500), failures: 2, startGrace: .seconds(1000))
        try fixture.begin(workers: [])
        try tell(fixture, probe(http(), port: server.port, schedule: schedule))
        try fixture.loop.pump("probes") { server.connectionCount >= 5 }
        #expect(unhealthy(fixture).isEmpty && fixture.notes(.probeFailed).isEmpty)
        server.behaviour = .answer("HTTP/1.0 200 OK\r\n\r\n")
        try fixture.loop.pump("a success ends the grace") { try state(fixture)?.state == "passing" }
        server.behaviour = .answer("HTTP/1.0 500 No\r\n\r\n")
        try fixture.loop.pump("it is unhealthy") { unhealthy(fixture).count == 1 }
        try tell(fixture, probe(http(), port: server.port, schedule: schedule), instance: 8)
        let before = server.connectionCount
        try fixture.loop.pump("more probes") { server.connectionCount >= before + 5 }
        #expect(!fixture.reports.contains { if case .unhealthy(_, 8, _) = $0 { true } else { false } })
    }

    @Test func `a probe that is gone, or whose worker is, is not made any more`() throws {
        let fixture = try MonitorFixture()
        let server = try LoopbackServer(fixture.loop, .answer("HTTP/1.0 200 OK\r\n\r\n"))
        try fixture.begin(workers: [])
        try tell(fixture, probe(http(), port: server.port))
        try fixture.loop.pump("a probe") { server.connectionCount >= 1 }
        try fixture.send(.forget(worker: "w"))
        try fixture.send(.workersComplete)
        #expect(try fixture.health().workers.isEmpty)
        let before = server.connectionCount
        try fixture.pumpRounds(10)
        #expect(server.connectionCount <= before + 1)
    }
}
