import ControlProtocol
import Foundation
import LinuxSystem
import Testing

/// The real daemon with real processes: what dies or hangs is repaired, what is stopped is gone.
@Suite(.timeLimit(.minutes(2))) struct SupervisionTests {
    @Test func `a killed worker comes back with a new process and leaves an incident`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "steady"]
            ready = "notify"
            """)
        try daemon.await("a", "ready")
        let first = try daemon.pid("a")
        kill(first, SIGKILL)
        let back = try daemon.await("a", "ready") { $0.pid.map(Int32.init) != first }
        #expect(back.restarts == 1)
        #expect(back.lastExit?.signal == "SIGKILL")
        let incident = try #require(try daemon.incidents("a").first)
        #expect(incident.pid == Int(first))
        #expect(incident.exit.signal == "SIGKILL")
        #expect(incident.action == "restarted-at-once")
        #expect(try #require(incident.recoveredAfter) >= 0)
    }

    @Test func `the last words of a worker are in its incident`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "echo one; echo two >&2; exit 3"]
            max_attempts = 1
            """)
        let incident = try incident(daemon, "a") { !$0.lastOutput.isEmpty }
        #expect(incident.lastOutput == ["one", "two"])
        #expect(incident.exit.code == 3)
    }

    @Test func `a worker that falls silent is killed by its watchdog and replaced`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "hang"]
            ready = "notify"
            watchdog = "200ms"
            """)
        try daemon.await("a", "ready") { $0.restarts > 0 }
        #expect(try daemon.incidents("a").first?.exit.cause == "watchdog")
    }

    @Test func `a pause longer than the watchdog is no hang`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "ping", "50"]
            ready = "notify"
            watchdog = "300ms"
            [[worker]]
            name = "clock"
            command = ["/bin/sh", "-c", "sleep 1"]
            """)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        try daemon.call(.pauseWorker(name: "a"))
        #expect(try daemon.worker("a").pauseReasons == ["operator"])
        try daemon.await("clock", "ready") { $0.restarts > 0 }
        #expect(try daemon.worker("a").state == "paused")
        // The freezer of a cgroup leaves the letter as it was.
        let state = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: " ")[2]
        #expect(state == "T" || Containment.standard == .cgroup)
        try daemon.call(.resumeWorker(name: "a"))
        try daemon.await("a", "ready")
        try daemon.await("clock", "ready") { $0.restarts > 1 }
        #expect(try daemon.pid("a") == pid)
    }

    @Test func `a worker that never becomes ready is tried again`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "never-ready"]
            ready = "notify"
            start_timeout = "200ms"
            """)
        try daemon.await("a", "running") { $0.restarts > 0 }
        #expect(try daemon.incidents("a").first?.exit.cause == "start-timeout")
    }

    @Test(arguments: ["ignore-term", "steady", "fork-children 3", "double-fork"])
    func `a stopped worker leaves no process behind`(mode: String) throws {
        let words = mode.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", \(words)]
            ready = "notify"
            stop_timeout = "300ms"
            """)
        try daemon.await("a", "ready")
        try daemon.call(.stopWorker(name: "a"))
        try daemon.await("a", "stopped")
        #expect(Processes.withEnvironment("HOLDFAST_WORKER=a", descendingFrom: daemon.process.processIdentifier) == [])
    }

    @Test func `what left its group is ended without a descriptor for it`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "double-fork"]
            ready = "notify"
            """, faults: "pidfd_open=24")
        try daemon.await("a", "ready")
        try daemon.call(.stopWorker(name: "a"))
        try daemon.await("a", "stopped")
        #expect(Processes.withEnvironment("HOLDFAST_WORKER=a", descendingFrom: daemon.process.processIdentifier) == [])
    }

    @Test func `what a double-forking worker left behind goes before its replacement comes`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "double-fork"]
            ready = "notify"
            """)
        try daemon.await("a", "ready")
        let first = try daemon.pid("a")
        kill(first, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        let instances = Processes.withEnvironment(
            "HOLDFAST_WORKER=a", descendingFrom: daemon.process.processIdentifier)
        #expect(instances.count == 2, "the worker and its one grandchild")
    }

    @Test(arguments: [
        (#"command = ["/nonexistent/program"]"#, "exec"),
        (#"command = ["/bin/sleep", "9"]"# + "\nworking_directory = \"/nonexistent\"", "working directory"),
    ])
    func `what cannot be started fails visibly with its reason, and nothing else is disturbed`(
        keys: String, reason: String
    ) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "broken"
            \(keys)
            max_attempts = 1
            [[worker]]
            name = "fine"
            command = ["WORKER", "steady"]
            """)
        try daemon.await("fine", "ready")
        let broken = try daemon.await("broken", "failed")
        #expect(broken.lastExit?.cause == "spawn-failed")
        #expect(broken.lastExit?.message.contains(reason) == true)
    }

    // EAGAIN of clone3(2): the machine is short of processes. EMFILE: we of descriptors. ETOOMANYREFS: a thousand FIFOs
    // are on their way to holdfast-output.
    @Test(arguments: ["clone3=11:3", "pipe2=24:3", "socketpair=24:2", "sendmsg=109:5"])
    func `a start for which there is no room now is tried again`(faults: String) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "steady"]
            ready = "notify"
            backoff_initial = "10ms"
            """, faults: faults)
        try daemon.await("a", "ready")
        try daemon.await("holdfast-output", "ready")
        #expect(try daemon.status().runtime.warnings.allSatisfy { $0.hasPrefix("there is no user holdfast-output") })
    }

    @Test(arguments: ["exec", "no interpreter", "not executable"])
    func `a program that is none fails visibly`(kind: String) throws {
        let program = FileManager.default.temporaryDirectory.appending(path: "holdfast-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: program) }
        try (kind == "no interpreter" ? "#!/nonexistent/sh\n" : "nonsense\n")
            .write(to: program, atomically: true, encoding: .utf8)
        chmod(program.path, kind == "not executable" ? 0o644 : 0o755)
        let daemon = try Daemon(
            """
            [[worker]]
            name = "broken"
            command = ["\(program.path)"]
            max_attempts = 1
            """)
        let broken = try daemon.await("broken", "failed")
        #expect(broken.lastExit?.message.contains("exec") == true, "\(broken.lastExit?.message ?? "")")
    }

    @Test func `a worker that somebody stopped by a signal can be stopped, and so can a paused one`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "steady"]
            ready = "notify"
            [[worker]]
            name = "b"
            command = ["WORKER", "ignore-term"]
            ready = "notify"
            stop_timeout = "200ms"
            """)
        try daemon.await("a", "ready")
        try daemon.await("b", "ready")
        kill(try daemon.pid("a"), SIGSTOP)
        try daemon.call(.stopWorker(name: "a"))
        try daemon.await("a", "stopped", within: .seconds(5))
        try daemon.call(.pauseWorker(name: "b"))
        try daemon.call(.stopWorker(name: "b"))
        try daemon.await("b", "stopped", within: .seconds(5))
    }

    @Test func `one worker cannot speak for another`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "never-ready"]
            ready = "notify"
            [[worker]]
            name = "impostor"
            command = ["/bin/sh", "-c", "NOTIFY_SOCKET=${NOTIFY_SOCKET%/*}/a exec WORKER steady"]
            """)
        try daemon.event { $0.kind == "notify-refused" && $0.worker == "a" }
        #expect(try daemon.worker("a").state == "running")
    }

    @Test func `the declared main process takes over`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "mainpid"]
            ready = "notify"
            """)
        let ready = try daemon.await("a", "ready")
        let main = Int32(try #require(ready.pid))
        kill(main, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        #expect(try daemon.incidents("a").first?.exit.signal == "SIGKILL")
    }

    @Test func `one-for-all restarts the siblings in order, and only them`() throws {
        let daemon = try Daemon(
            """
            [[supervisor]]
            name = "vision"
            strategy = "one-for-all"
            [[worker]]
            name = "a"
            supervisor = "vision"
            command = ["WORKER", "steady"]
            [[worker]]
            name = "b"
            supervisor = "vision"
            command = ["WORKER", "steady"]
            [[worker]]
            name = "other"
            command = ["WORKER", "steady"]
            """)
        for name in ["a", "b", "other"] { try daemon.await(name, "ready") }
        let (a, b, other) = (try daemon.pid("a"), try daemon.pid("b"), try daemon.pid("other"))
        kill(b, SIGKILL)
        try daemon.await("b", "ready") { $0.pid.map(Int32.init) != b }
        try daemon.await("a", "ready") { $0.pid.map(Int32.init) != a }
        #expect(try daemon.pid("other") == other)
    }

    @Test func `stopping the daemon leaves no process behind`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "double-fork"]
            ready = "notify"
            [[worker]]
            name = "b"
            command = ["WORKER", "ignore-term"]
            ready = "notify"
            stop_timeout = "200ms"
            """)
        try daemon.await("a", "ready")
        try daemon.await("b", "ready")
        let marker = "NOTIFY_SOCKET=\(daemon.directory.path)"
        #expect(!Processes.withEnvironment(marker).isEmpty)
        daemon.stop()
        #expect(daemon.process.terminationStatus == 0)
        #expect(Processes.withEnvironment(marker).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: daemon.socket))
    }

    private func incident(
        _ daemon: Daemon, _ name: String, where predicate: (IncidentReport) -> Bool
    ) throws -> IncidentReport {
        // Its output comes a moment after the failure: each event is an occasion to look again.
        var found: IncidentReport?
        try daemon.event { _ in
            found = try daemon.incidents(name).first(where: predicate)
            return found != nil
        }
        return try #require(found)
    }
}
