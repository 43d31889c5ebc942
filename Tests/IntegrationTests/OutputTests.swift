import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// Workers' output through the real `holdfast-output` into files.
@Suite(.timeLimit(.minutes(3))) struct OutputTests {
    /// The numbered lines ("N ...") in a worker's log files, oldest file first.
    private func numbers(_ daemon: Daemon, _ worker: String) throws -> [Int] {
        let folder = daemon.directory.appending(path: "state/log")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0 == "\(worker).log" || $0.hasPrefix("\(worker).log.") }
            .sorted {
                (Int($0.split(separator: ".").last ?? "") ?? 0) > (Int($1.split(separator: ".").last ?? "") ?? 0)
            }
        return try files.flatMap { file in
            try String(contentsOf: folder.appending(path: file), encoding: .utf8).split(separator: "\n").compactMap {
                // "TIME line NUMBER"
                $0.split(separator: " ").dropFirst(2).first.flatMap { Int($0) }
            }
        }
    }

    @Test func `killing holdfast-output loses no line`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "counter"
            command = ["WORKER", "numbered", "500", "1500"]
            ready = "notify"
            """)
        try daemon.await("counter", "ready")
        for kills in 1...5 {
            let output = try daemon.await("holdfast-output", "ready") { $0.restarts == kills - 1 }
            kill(Int32(try #require(output.pid)), SIGKILL)
        }
        try daemon.await("holdfast-output", "ready") { $0.restarts == 5 }
        let connection = try daemon.connect()
        try connection.send(
            MessageFramer.frame(RuntimeMethod.logs(worker: "counter", lines: 1, follow: true).call.json))
        var last = ""
        while last != "line 1500" {
            last = try LogsReply(json: try connection.receive(within: .seconds(20)).parameters.json).line?.line ?? ""
        }
        let found = try numbers(daemon, "counter")
        let expected = Set(1...1500)
        #expect(expected.subtracting(found).isEmpty, "lost: \(expected.subtracting(found).sorted().prefix(10))")
    }

    @Test func `holdfast logs --follow outlasts a kill and a stop of holdfast-output, and an upgrade`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "numbered", "50", "1000000"]
            ready = "notify"
            """)
        try daemon.await("a", "ready")
        var output = try daemon.await("holdfast-output", "ready")
        let shown = daemon.directory.appending(path: "shown")
        let client = try RuntimeProcess(
            [
                Daemon.binaries.appending(path: "holdfast").path, "logs", "a", "--follow", "--raw", "--lines", "1",
                "--timeout", "20", "--socket", daemon.socket,
            ], environment: [:], log: shown.path)
        defer { client.signal(SIGKILL) }
        func numbers() throws -> [Int] {
            let lines = try String(contentsOf: shown, encoding: .utf8).split(separator: "\n")
            return lines.map { Int($0.split(separator: " ").last ?? "") ?? -1 }
        }
        // Each time until a line has come that was written after the trouble.
        func awaitMore(_ trouble: String) throws {
            let before = try numbers().last ?? 0
            let deadline = MonotonicClock.now() + .seconds(20)
            while client.isRunning, try (numbers().last ?? 0) < before + 40, MonotonicClock.now() < deadline {
                // The file tells nobody that it grows.
                usleep(20_000)
            }
            #expect(client.isRunning, "ended after \(trouble)")
            #expect(try (numbers().last ?? 0) >= before + 40, "nothing more after \(trouble)")
        }
        try awaitMore("the start")

        kill(Int32(try #require(output.pid)), SIGKILL)
        output = try daemon.await("holdfast-output", "ready") { $0.restarts == 1 }
        try awaitMore("a kill")

        try daemon.call(.stopWorker(name: "holdfast-output"))
        try daemon.await("holdfast-output", "stopped")
        try daemon.call(.startWorker(name: "holdfast-output"))
        output = try daemon.await("holdfast-output", "ready")
        try awaitMore("a stop")

        let upgraded = try daemon.lastEvent()
        _ = try? daemon.call(.upgrade(binary: nil))
        try daemon.awaitSocket()
        try daemon.event { $0.sequence > upgraded && $0.kind == "runtime-adopted" }
        try awaitMore("an upgrade")

        let all = try numbers()
        #expect(all == all.sorted(), "out of order")
        #expect(Set(all).count == all.count, "twice: \(all)")
        client.signal(SIGTERM)
        try client.wait()
    }

    @Test func `while an operator has holdfast-output stopped, status and logs say so and how to start it`() throws {
        let daemon = try Daemon("[[worker]]\nname = \"a\"\ncommand = [\"WORKER\", \"steady\"]")
        try daemon.await("holdfast-output", "ready")
        let isWarning = { (text: String) in text.contains("holdfast-output was stopped by an operator") }
        #expect(try !daemon.status().runtime.warnings.contains(where: isWarning))
        #expect(!isWarning(daemon.diagnostics))

        try daemon.call(.stopWorker(name: "holdfast-output"))
        try daemon.await("holdfast-output", "stopped")
        #expect(try daemon.status().runtime.warnings.contains(where: isWarning))
        let refused = #expect(throws: VarlinkConnection.Refused.self) {
            try daemon.call(.logs(worker: "a", lines: 1, follow: false))
        }
        guard case .outputUnavailable(let message)? = (refused?.reply).flatMap({ RuntimeError($0) }) else {
            Issue.record("refused for another reason")
            return
        }
        #expect(isWarning(message) && message.contains("holdfast worker start holdfast-output"))

        try daemon.call(.startWorker(name: "holdfast-output"))
        try daemon.await("holdfast-output", "ready")
        #expect(try !daemon.status().runtime.warnings.contains(where: isWarning))
    }

    @Test func `a worker of any user may open its standard output by name`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "echo one > /dev/stdout && echo two > /dev/stderr && exit 7; exit 8"]
            user = "nobody"
            max_attempts = 1
            """)
        #expect(try daemon.await("a", "failed").lastExit?.code == 7)
    }

    @Test func `each new process of a worker is drained, however its start falls`() throws {
        let daemon = try Daemon(
            """
            [[supervisor]]
            name = "s"
            max_restarts = 1000
            within = "1s"
            [[worker]]
            name = "a"
            supervisor = "s"
            command = ["WORKER", "steady"]
            ready = "notify"
            backoff_initial = "1ms"
            backoff_max = "1ms"
            """)
        try daemon.await("holdfast-output", "ready")
        try daemon.await("a", "ready")
        let connection = try daemon.connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.logs(worker: "a", lines: 10, follow: true).call.json))
        for _ in 1...50 {
            let line = try #require(
                try LogsReply(json: try connection.receive(within: .seconds(20)).parameters.json).line?.line)
            kill(try #require(Int32(line.dropFirst("up as ".count))), SIGKILL)
        }
    }

    @Test func `the last words of a process are in its own incident, and are no part of another's first`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "echo I am $$; printf 'last words'; exit 1"]
            backoff_initial = "1ms"
            backoff_max = "1ms"
            max_attempts = 10
            """)
        try daemon.await("a", "failed")
        try daemon.event { $0.kind == "incident-completed" && $0.details["incident"] == 11 }
        let incidents = try daemon.incidents("a")
        try #require(incidents.count == 11)
        for incident in incidents { #expect(incident.lastOutput == ["I am \(incident.pid ?? 0)", "last words"]) }
    }

    // A FIFO's page takes one of these lines, not two: it is full long before it holds its capacity in bytes.
    @Test(arguments: [80, 2200])
    func `while holdfast-output is stopped no worker blocks for ever, and it is replaced`(lineBytes: Int) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "flood"
            command = ["WORKER", "flood", "max", "\(lineBytes)"]
            """)
        try daemon.await("flood", "ready")
        let output = try daemon.await("holdfast-output", "ready")
        kill(Int32(try #require(output.pid)), SIGSTOP)
        // At first at once, then at growing distances: more than one FIFO was emptied by the second.
        for _ in 1...2 {
            let event = try daemon.event(since: try daemon.lastEvent()) {
                $0.worker == "flood" && $0.details["because"] == "no holdfast-output"
            }
            #expect(try #require(event.details["bytes"]?.intValue) > 16 * 1024)
        }
        try daemon.await("holdfast-output", "ready") { $0.restarts == 1 }
        #expect(try daemon.incidents("holdfast-output").first?.exit.cause == "watchdog-trigger")
        #expect(try daemon.worker("flood").restarts == 0)
    }

    @Test func `three that flood take nothing from a quiet one, and their losses are counted`() throws {
        let flooders = (1...3).map {
            """
            [[worker]]
            name = "flood\($0)"
            command = ["WORKER", "flood", "max"]
            """
        }.joined(separator: "\n")
        let daemon = try Daemon(
            """
            \(flooders)
            [[worker]]
            name = "quiet"
            command = ["WORKER", "numbered", "50", "100"]
            """)
        try daemon.event { $0.kind == "output-lost" && $0.worker?.hasPrefix("flood") == true }
        try daemon.await("holdfast-output", "ready")
        let connection = try daemon.connect()
        try connection.send(
            MessageFramer.frame(RuntimeMethod.logs(worker: "quiet", lines: 100, follow: true).call.json))
        var lines: [Int] = []
        while lines.count < 100 {
            let reply = try LogsReply(json: try connection.receive(within: .seconds(20)).parameters.json)
            #expect(reply.line?.lost ?? 0 == 0)
            if let line = reply.line?.line.split(separator: " ").last.flatMap({ Int($0) }) { lines.append(line) }
        }
        #expect(lines == Array(lines[0]..<(lines[0] + 100)))
        #expect(try daemon.status().workers.filter { $0.name.hasPrefix("flood") }.allSatisfy { $0.restarts == 0 })
        // However much they print, each keeps its files' cap.
        let folder = daemon.directory.appending(path: "state/log").path
        let sizes = try FileManager.default.contentsOfDirectory(atPath: folder).map {
            try FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")[.size] as? Int ?? 0
        }
        #expect(sizes.reduce(0, +) < 64 << 20)
    }
}
