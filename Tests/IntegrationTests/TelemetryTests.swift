import ControlProtocol
import Foundation
import LinuxSystem
import Testing

/// What workers report, through the real `holdfastd` and `holdfast-uplink` onto the disk, whatever dies on the way.
@Suite(.timeLimit(.minutes(2))) struct TelemetryTests {
    /// A worker that is connected to its socket, and sends numbers without pause until it is told to end (a file).
    private static let counter = """
        [[worker]]
        name = "counter"
        command = ["/usr/bin/python3", "-c", \"\"\"
        import os, socket, sys, time
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.connect(os.environ['HOLDFAST_TELEMETRY_SOCKET'])
        n = 0
        while not os.path.exists('/dev/shm/' + os.environ['STOP']):
            n += 1
            s.send(b'{"n": %d}' % n)
            time.sleep(0.0005)
        print(n)
        print('end', flush=True)
        time.sleep(1000)
        \"\"\"]
        telemetry_rate = 1000000
        environment = { STOP = "NAME" }
        """

    private func configuration(_ name: String) -> String { Self.counter.replacing("NAME", with: name) }

    private func makeDaemon(_ name: String, environment: [String: String] = [:]) throws -> Daemon {
        let daemon = try Daemon(
            configuration(name), uplink: "flush_interval = \"10ms\"", environment: environment)
        try daemon.await("holdfast-uplink", "ready")
        return daemon
    }

    private struct Stored {
        var number: Int
        var mayRepeat: Bool
    }

    /// The numbers on the disk, in their order.
    private func stored(_ daemon: Daemon) throws -> [Stored] {
        let folder = daemon.directory.appending(path: "state/spool/readings")
        let segments = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".seg") }
        return try segments.sorted().flatMap { name in
            let text = String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
            return text.split(separator: #""v":{"n":"#).dropFirst().map { part in
                let number = Int(part.prefix { $0.isNumber }) ?? 0
                return Stored(number: number, mayRepeat: part.drop { $0.isNumber }.hasPrefix(#"},"r":true"#))
            }
        }
    }

    /// Ends the counter, and judges what has become of its numbers.
    /// - Parameter kills: of the uplink; each may have repeated one.
    private func expectAll(_ daemon: Daemon, _ name: String, kills: Int) throws {
        let file = "/dev/shm/\(name)"
        defer { unlink(file) }
        try #require(FileManager.default.createFile(atPath: file, contents: nil))
        let last = try #require(try daemon.output(of: "counter", upTo: "end").last.flatMap { Int($0) })
        #expect(try !daemon.events().contains { $0.kind == "telemetry-lost" })
        // What waits in the socket is taken in before it ends.
        daemon.stop()
        let stored = try stored(daemon)
        #expect(Set(stored.map(\.number)) == Set(1...last), "\(stored.count) of \(last)")
        let again = stored.count - last
        #expect(again <= kills)
        #expect(stored.count(where: \.mayRepeat) == again)
    }

    @Test func `nothing is lost by kills of holdfast-uplink, and what is stored twice is marked`() throws {
        let name = "holdfast-\(UUID().uuidString)"
        let daemon = try makeDaemon(name)
        var pid = try daemon.pid("holdfast-uplink")
        let kills = 6
        for _ in 0..<kills {
            try daemon.pass(.milliseconds(100))
            kill(pid, SIGKILL)
            let next = try daemon.await("holdfast-uplink", "ready") { $0.pid.map { Int32($0) } != pid }
            pid = Int32(try #require(next.pid))
        }
        #expect(try daemon.worker("counter").restarts == 0)
        try expectAll(daemon, name, kills: kills)
    }

    @Test func `nothing is lost by kills of holdfastd, where somebody keeps its descriptors`() throws {
        let name = "holdfast-\(UUID().uuidString)"
        let manager = try ServiceManager()
        let daemon = try makeDaemon(name, environment: manager.environment)
        let kills = 3
        for _ in 0..<kills {
            try manager.listen { manager["telemetry-counter"] != nil }
            try daemon.crash()
            try manager.listen { true }
            try daemon.startAgain(stored: manager.stored)
            try daemon.await("holdfast-uplink", "ready")
        }
        #expect(try daemon.worker("counter").restarts == 0)
        try expectAll(daemon, name, kills: kills)
    }

    @Test func `nothing is lost by an upgrade in place`() throws {
        let name = "holdfast-\(UUID().uuidString)"
        let daemon = try makeDaemon(name)
        #expect(throws: VarlinkConnection.Closed.self) { try daemon.call(.upgrade(binary: nil)) }
        try daemon.awaitSocket()
        try daemon.await("holdfast-uplink", "ready")
        #expect(try daemon.worker("counter").restarts == 0)
        try expectAll(daemon, name, kills: 0)
    }

    @Test func `holdfast-uplink owns its folders, and nobody else gets in`() throws {
        let daemon = try makeDaemon("none")
        for name in ["uplink", "spool", "spool/events", "spool/readings"] {
            let status = try SystemCall.status(of: daemon.directory.appending(path: "state/\(name)").path)
            #expect(status.mode & 0o777 == 0o700, "\(name)")
            guard getuid() == 0 else { continue }
            let user = try AccountDatabase.user(named: "holdfast-uplink") ?? AccountDatabase.user(named: "nobody")
            #expect(status.uid == user?.uid, "\(name)")
        }
        let reply = try UplinkStatus(json: try daemon.call(.uplink).parameters.json)
        #expect(reply.state == .notEnrolled)
        #expect(reply.queues.map(\.name) == ["events", "readings"])
    }

    @Test func `while nobody takes it, telemetry blocks no worker for ever, and its loss is told`() throws {
        let name = "holdfast-\(UUID().uuidString)"
        let daemon = try makeDaemon(name)
        try daemon.call(.stopWorker(name: "holdfast-uplink"))
        try daemon.await("holdfast-uplink", "stopped")
        let loss = try daemon.event { $0.kind == "telemetry-lost" && $0.worker == "counter" }
        #expect((loss.details["datagrams"]?.intValue ?? 0) > 100)
        #expect(loss.details["reason"] == "unread")
        #expect(try daemon.status().runtime.warnings.contains { $0.contains("holdfast worker start holdfast-uplink") })
        let refusal = try #require(throws: VarlinkConnection.Refused.self) { try daemon.call(.uplink) }
        guard case .uplinkUnavailable(let message) = RuntimeError(refusal.reply) else {
            Issue.record("refused by \(refusal)")
            return
        }
        #expect(message.contains("holdfast worker start holdfast-uplink"))
        try daemon.call(.startWorker(name: "holdfast-uplink"))
        try daemon.await("holdfast-uplink", "ready")
        #expect(try daemon.call(.uplink).error == nil)
    }

    @Test func `a reload takes a worker's telemetry away, and gives it back, without a restart of others`() throws {
        let name = "holdfast-\(UUID().uuidString)"
        let daemon = try makeDaemon(name)
        let socket = daemon.directory.appending(path: "run/telemetry/counter").path
        #expect(FileManager.default.fileExists(atPath: socket))
        try daemon.configure(configuration(name) + "\ntelemetry = \"off\"")
        try daemon.call(.reload)
        #expect(!FileManager.default.fileExists(atPath: socket))
        try daemon.configure(configuration(name))
        try daemon.call(.reload)
        #expect(FileManager.default.fileExists(atPath: socket))
    }

    @Test func `a worker emits a reading and an event, and knows that they are on disk`() throws {
        let holdfast = Daemon.binaries.appending(path: "holdfast").path
        let daemon = try Daemon(
            """
            [[worker]]
            name = "script"
            command = ["/bin/sh", "-c", "\(holdfast) emit --sync fps=30 && \(holdfast) emit --sync --event opened && echo done"]
            restart = "on-failure"
            """, uplink: "")
        try daemon.await("script", "finished")
        let status = try UplinkStatus(json: try daemon.call(.uplink).parameters.json)
        #expect(status.queues.first { $0.name == "readings" }?.written == 1)
        #expect((status.queues.first { $0.name == "events" }?.written ?? 0) >= 1)
    }
}
