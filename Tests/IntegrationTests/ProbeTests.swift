import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// Workers that are asked whether they are well: by programs that the runtime runs as it runs the worker.
@Suite(.timeLimit(.minutes(2))) struct ProbeTests {
    private static func worker(
        _ probe: String, interval: String = "100ms", failures: Int = 2, grace: String = "0ms", timeout: String = "5s"
    ) -> String {
        let quoted = "\"" + probe.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        return """
            [[worker]]
            name = "a"
            command = ["WORKER", "steady"]
            ready = "notify"
            working_directory = "/tmp"
            environment = { COLOUR = "red" }
            [[worker.probe]]
            type = "exec"
            name = "alive"
            command = ["/bin/sh", "-c", \(quoted)]
            interval = "\(interval)"
            timeout = "\(timeout)"
            failures = \(failures)
            start_grace = "\(grace)"
            """
    }

    @Test func `a worker whose probe fails often enough is restarted, with the probe's words in the incident`() throws {
        let daemon = try Daemon(Self.worker("echo; echo 'no  frame' >&2; exit 3"))
        try daemon.await("a", "ready") { $0.restarts > 0 }
        let incident = try #require(try daemon.incidents("a").first)
        #expect(incident.exit.cause == "unhealthy")
        #expect(incident.exit.message == "unhealthy: probe alive: ended with status 3: no frame")
        #expect(incident.exit.signal == "SIGKILL")
    }

    @Test func `a probe is run as its worker is, and its silence is a success`() throws {
        let daemon = try Daemon(
            Self.worker(
                "test \"$COLOUR:$PWD:$HOLDFAST_PROBE\" = red:/tmp:alive && test \"$FAILING\" = '' && "
                    + "echo $HOLDFAST_INSTANCE >> \"${NOTIFY_SOCKET%/run/*}/probed\"; seq 100000 >&2", failures: 1),
            permissions: 0o777)
        let mark = daemon.directory.appending(path: "probed")
        try daemon.awaitSoon {
            ((try? String(contentsOf: mark, encoding: .utf8)) ?? "").split(separator: "\n").count > 2
        }
        #expect(try daemon.worker("a").restarts == 0)
    }

    @Test func `a probe that takes too long is killed with all that it has started`() throws {
        let daemon = try Daemon(
            Self.worker("setsid sleep 4711 & sleep 4712", failures: 1, timeout: "300ms"))
        try daemon.await("a", "ready") { $0.restarts > 0 }
        let incident = try #require(try daemon.incidents("a").first)
        #expect(incident.exit.message == "unhealthy: probe alive: no answer within 300 ms")
        daemon.stop()
        #expect(daemon.survivors == [])
    }

    @Test func `nothing is asked of a paused worker`() throws {
        let daemon = try Daemon(
            Self.worker("echo x >> \"${NOTIFY_SOCKET%/run/*}/probed\"; exit 1", failures: 1000),
            permissions: 0o777)
        let mark = daemon.directory.appending(path: "probed")
        func count() -> Int { (try? Data(contentsOf: mark).count) ?? 0 }
        try daemon.awaitSoon { count() > 0 }
        try daemon.call(.pauseWorker(name: "a"))
        try daemon.await("a", "paused")
        let before = count()
        try daemon.pass(.milliseconds(600))
        // One may have been under way.
        #expect(count() <= before + 2)
        try daemon.call(.resumeWorker(name: "a"))
        let after = count()
        try daemon.awaitSoon { count() > after }
        #expect(try daemon.worker("a").restarts == 0)
    }

    @Test func `a probe of a holdfastd that was killed is ended by the next one, its worker is not`() throws {
        let daemon = try Daemon(Self.worker("exec sleep 4713", interval: "100ms", timeout: "1h"))
        let pid = try daemon.await("a", "ready").pid
        func probes() -> [Int32] {
            daemon.survivors.filter {
                (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8))?.contains("4713") ?? false
            }
        }
        try daemon.awaitSoon { !probes().isEmpty }
        let former = probes()
        #expect(former.count == 1)
        try daemon.replace()
        #expect(try daemon.await("a", "ready").pid == pid)
        #expect(!probes().contains(former[0]))
        try daemon.awaitSoon { !probes().isEmpty }
        #expect(probes().count == 1)
    }

    @Test func `a missed checkpoint is in the incident by its name`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "systemd-notify HOLDFAST_CHECKPOINT=frame; exec sleep 4714"]
            [worker.checkpoints]
            frame = "300ms"
            upload = "100ms"
            """)
        try daemon.await("a", "ready") { $0.restarts > 0 }
        let incident = try #require(try daemon.incidents("a").first)
        #expect(incident.exit.cause == "checkpoint")
        #expect(incident.exit.message == "no checkpoint frame for 300 ms")
    }
}

extension Daemon {
    /// Looks until it is so, for half a minute at most.
    fileprivate func awaitSoon(_ isSo: () -> Bool) throws {
        let deadline = MonotonicClock.now() + .seconds(30)
        while !isSo() {
            try #require(MonotonicClock.now() < deadline, "it does not come to that")
            try pass(.milliseconds(20))
        }
    }
}
