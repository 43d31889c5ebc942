import ControlProtocol
import Foundation
import LinuxSystem
import Testing

/// What happens while there is no daemon is dealt with by the next one, once.
@Suite(.timeLimit(.minutes(2))) struct AdoptionGapTests {
    private static let steady = """
        [[worker]]
        name = "a"
        command = ["WORKER", "steady"]
        ready = "notify"
        """

    @Test(arguments: Containment.available)
    func `a worker that died is started once, and how it ended counts as a failure`(containment: Containment) throws {
        let daemon = try Daemon(
            """
            \(Self.steady)
            [[worker]]
            name = "other"
            command = ["WORKER", "steady"]
            ready = "notify"
            """, containment: containment)
        try daemon.await("a", "ready")
        try daemon.await("other", "ready")
        let (pid, other) = (try daemon.pid("a"), try daemon.pid("other"))
        try daemon.replace { try daemon.end(pid) }
        let back = try daemon.await("a", "ready") { $0.restarts == 1 }
        #expect(back.failuresForgotten != nil)
        let incident = try #require(try daemon.incidents("a").first)
        #expect(incident.pid == Int(pid))
        // Without a service manager that kept its pidfd the kernel tells only as long as nobody has reaped it.
        #expect(["unknown", "signal"].contains(incident.exit.cause))
        #expect(incident.action == "restarted-at-once")
        #expect(try daemon.pid("other") == other)
        #expect(daemon.processes(of: "a").count == 1)
    }

    @Test(arguments: Containment.available)
    func `all of them died`(containment: Containment) throws {
        let names = (1...20).map { "w\($0)" }
        let daemon = try Daemon(
            names.map { "[[worker]]\nname = \"\($0)\"\ncommand = [\"WORKER\", \"steady\"]\nready = \"notify\"" }
                .joined(separator: "\n"), containment: containment)
        for name in names { try daemon.await(name, "ready") }
        try daemon.replace { for pid in daemon.survivors { try daemon.end(pid) } }
        for name in names {
            try daemon.await(name, "ready") { $0.restarts == 1 }
            #expect(daemon.processes(of: name).count == 1)
        }
        try daemon.await("holdfast-output", "ready")
    }

    @Test func `a worker that pings has a fresh period, and one that fell silent meanwhile is ended`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "alive"
            command = ["WORKER", "ping", "100"]
            ready = "notify"
            watchdog = "1s"
            [[worker]]
            name = "silent"
            command = ["WORKER", "ping", "100", "20"]
            ready = "notify"
            watchdog = "1s"
            """)
        for name in ["alive", "silent"] { try daemon.await(name, "ready") { $0.restarts == 0 } }
        let (alive, silent) = (try daemon.pid("alive"), try daemon.pid("silent"))
        // Nobody hears a ping for longer than the period, and from one of them there is none any more.
        try daemon.replace { try daemon.pass(.seconds(4)) }
        #expect(try daemon.pid("silent") == silent, "its period begins anew")
        try daemon.await("silent", "ready") { $0.restarts > 0 }
        #expect(try daemon.incidents("silent").last?.exit.cause == "watchdog")
        #expect(try daemon.worker("alive").restarts == 0)
        #expect(try daemon.pid("alive") == alive)
    }

    @Test(arguments: Containment.available)
    func `what is left of a dead worker goes before its replacement comes`(containment: Containment) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "forker"
            command = ["WORKER", "fork-children", "3"]
            ready = "notify"
            [[worker]]
            name = "leaver"
            command = ["WORKER", "double-fork"]
            ready = "notify"
            """, containment: containment)
        for name in ["forker", "leaver"] { try daemon.await(name, "ready") }
        let pids = try daemon.pids(["forker", "leaver"])
        let former = Set(daemon.processes(of: "forker") + daemon.processes(of: "leaver"))
        #expect(former.count == 6)
        try daemon.replace { for pid in pids.values { try daemon.end(pid) } }
        for name in ["forker", "leaver"] { try daemon.await(name, "ready") { $0.restarts == 1 } }
        let now = Set(daemon.processes(of: "forker") + daemon.processes(of: "leaver"))
        #expect(now.count == 6)
        #expect(now.isDisjoint(with: former))
    }

    @Test func `what a worker says while nobody listens is lost, and its start time is a fresh one`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "trap 'exec WORKER steady' USR1; while :; do sleep 0.1; done"]
            ready = "notify"
            start_timeout = "2s"
            """)
        try daemon.await("a", "running")
        let pid = try daemon.pid("a")
        try daemon.crash()
        kill(pid, SIGUSR1)
        let command = "/proc/\(pid)/cmdline"
        while try !String(contentsOfFile: command, encoding: .utf8).contains("steady") {
            try daemon.pass(.milliseconds(10))
        }
        try daemon.pass(.milliseconds(200))
        try daemon.startAgain()
        #expect(try daemon.worker("a").state == "running")
        #expect(try daemon.pid("a") == pid)
        try daemon.await("a", "running") { $0.restarts == 1 }
        #expect(try daemon.incidents("a").first?.exit.cause == "start-timeout")
    }

    @Test(arguments: Containment.available)
    func `the configuration may have changed`(containment: Containment) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "same"
            command = ["WORKER", "steady"]
            ready = "notify"
            [[worker]]
            name = "changed"
            command = ["WORKER", "steady"]
            ready = "notify"
            [[worker]]
            name = "adjusted"
            command = ["WORKER", "steady"]
            ready = "notify"
            [[worker]]
            name = "removed"
            command = ["WORKER", "fork-children", "2"]
            ready = "notify"
            """, containment: containment)
        let names = ["same", "changed", "adjusted", "removed"]
        for name in names { try daemon.await(name, "ready") }
        let before = try daemon.pids(names)
        let removed = daemon.processes(of: "removed")
        #expect(removed.count == 3)
        try daemon.replace {
            try daemon.configure(
                """
                [[worker]]
                name = "new"
                command = ["WORKER", "steady"]
                ready = "notify"
                [[supervisor]]
                name = "group"
                [[worker]]
                name = "adjusted"
                supervisor = "group"
                command = ["WORKER", "steady"]
                ready = "notify"
                stop_timeout = "3s"
                [[worker]]
                name = "changed"
                command = ["WORKER", "steady"]
                ready = "notify"
                environment = { MODE = "fast" }
                [[worker]]
                name = "same"
                command = ["WORKER", "steady"]
                ready = "notify"
                """)
        }
        try daemon.await("new", "ready")
        try daemon.await("changed", "ready") { $0.pid.map(Int32.init) != before["changed"] }
        for pid in removed { try daemon.awaitEnd(of: pid) }
        #expect(try daemon.pid("same") == before["same"])
        #expect(try daemon.pid("adjusted") == before["adjusted"])
        #expect(try daemon.worker("adjusted").supervisor == "group")
        #expect(try daemon.status().workers.allSatisfy { $0.restarts == 0 })
        #expect(daemon.processes(of: "changed").count == 1)
        try daemon.event { $0.kind == "worker-changed" && $0.worker == "changed" && $0.details["to"] == "ready" }
        #expect(try daemon.status().workers.contains { $0.name == "removed" } == false)
    }

    @Test func `a configuration that cannot be used leaves the workers running until one can`() throws {
        let daemon = try Daemon(Self.steady)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        try daemon.crash()
        try daemon.configure("nonsense")
        try daemon.startAgain(isAwaited: false)
        try daemon.process.wait()
        #expect(daemon.process.terminationStatus == 5)
        try daemon.configure(Self.steady)
        try daemon.startAgain()
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").state == "ready")
    }

    @Test func `of two that start at once one works, and the other says who does`() throws {
        let daemon = try Daemon(Self.steady)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        try daemon.crash()
        let rivals = try (1...4).map { _ in try daemon.makeRival() }
        try daemon.startAgain(isAwaited: false)
        let all = rivals + [daemon.process]
        // All but one refuse.
        let isDecided = { all.count { $0.isRunning } == 1 }
        for rival in all where !isDecided() { _ = try rival.wait(within: .seconds(3)) }
        #expect(isDecided())
        let winner = try #require(all.first { $0.isRunning })
        try daemon.awaitSocket()
        #expect(try daemon.status().runtime.pid == Int(winner.processIdentifier))
        #expect(all.filter { $0 !== winner }.allSatisfy { $0.terminationStatus == 1 })
        #expect(daemon.diagnostics.contains("another holdfastd (process \(winner.processIdentifier))"))
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").restarts == 0)
        winner.signal(SIGTERM)
        try winner.wait()
        #expect(daemon.survivors.isEmpty)
    }
}
