import ControlProtocol
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct UpgradeTests {
    static let tree = """
        [[worker]]
        name = "a"
        command = ["WORKER", "steady"]
        [[worker]]
        name = "paused"
        command = ["WORKER", "steady"]
        [[worker]]
        name = "stopped"
        command = ["WORKER", "steady"]
        """

    /// The runtime that answers next; the one that was asked ends the connection without a word.
    private func upgrade(_ daemon: Daemon, to binary: String? = nil) throws {
        let last = try daemon.lastEvent()
        let connection = try daemon.connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.upgrade(binary: binary).call.json))
        #expect(throws: VarlinkConnection.Closed.self) { try connection.receive() }
        try daemon.awaitSocket()
        try daemon.event { $0.sequence > last && $0.kind == "runtime-adopted" }
    }

    private func refusal(_ daemon: Daemon, _ binary: String?) throws -> RuntimeError? {
        let refused = #expect(throws: VarlinkConnection.Refused.self) { try daemon.call(.upgrade(binary: binary)) }
        return (refused?.reply).flatMap { RuntimeError($0) }
    }

    @Test func `the workers of the old binary are those of the new one`() throws {
        let daemon = try Daemon(Self.tree)
        for name in ["a", "paused", "stopped"] { try daemon.await(name, "ready") }
        try daemon.call(.pauseWorker(name: "paused"))
        try daemon.call(.stopWorker(name: "stopped"))
        try daemon.await("stopped", "stopped")
        kill(try daemon.pid("a"), SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        let (pid, pausedPid) = (try daemon.pid("a"), try daemon.pid("paused"))

        for _ in 0..<3 { try upgrade(daemon) }

        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").restarts == 1)
        #expect(try daemon.pid("paused") == pausedPid)
        #expect(try daemon.worker("paused").state == "paused")
        #expect(try daemon.worker("stopped").state == "stopped")
        #expect(try daemon.status().runtime.pid == Int(daemon.process.processIdentifier))
        // Its end is noticed as before.
        kill(pid, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 2 }
        try daemon.call(.resumeWorker(name: "paused"))
        try daemon.await("paused", "ready")
        try daemon.await("holdfast-output", "ready")
    }

    @Test func `another file takes over`() throws {
        let daemon = try Daemon(Self.tree)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        let copy = daemon.directory.appending(path: "holdfastd-2")
        try FileManager.default.copyItem(at: Daemon.binaries.appending(path: "holdfastd"), to: copy)
        try upgrade(daemon, to: copy.path)
        #expect(try daemon.pid("a") == pid)
        let executable = try FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/\(daemon.process.processIdentifier)/exe")
        #expect(executable == copy.path)
    }

    @Test func `whoever asks sees that it was done, however young the runtime before was`() throws {
        let daemon = try Daemon(Self.tree)
        for _ in 1...3 {
            let command = ["upgrade", "--json", "--timeout", "10", "--socket", daemon.socket]
            let client = try RuntimeProcess(
                [Daemon.binaries.appending(path: "holdfast").path] + command, environment: [:],
                log: daemon.directory.appending(path: "client").path)
            try client.wait()
            #expect(client.terminationStatus == 0)
        }
    }

    @Test(arguments: [
        ("/no/such/file", "there is no such file"), ("holdfastd", "the path has to begin with a slash"),
        ("/etc/passwd", "it is no executable file"), ("/bin/false", "its check ended with status 1"),
        ("/bin/true", "it is no holdfastd"), ("/tmp", "it is no executable file"),
    ])
    func `what cannot take over is refused, and the old runtime runs on`(binary: String, reason: String) throws {
        let daemon = try Daemon(Self.tree)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        #expect(try refusal(daemon, binary) == .upgradeRefused(message: "\(binary): \(reason)"))
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.status().runtime.uptime > 0)
    }

    @Test func `a binary that never answers is refused in time`() throws {
        let daemon = try Daemon(Self.tree)
        try daemon.await("a", "ready")
        let binary = daemon.directory.appending(path: "never").path
        try Data("#!/bin/sh\nexec sleep 1000\n".utf8).write(to: URL(filePath: binary))
        chmod(binary, 0o755)
        let connection = try daemon.connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.upgrade(binary: binary).call.json))
        let reply = try connection.receive(within: .seconds(30))
        #expect(
            RuntimeError(reply) == .upgradeRefused(message: "\(binary): its check did not end within 10 s"))
    }

    @Test func `a configuration that the new binary does not accept is found out before`() throws {
        let daemon = try Daemon(Self.tree)
        try daemon.await("a", "ready")
        try daemon.configure("[[worker]]\nname = \"a\"\n")
        guard case .upgradeRefused(let message) = try refusal(daemon, nil) else {
            Issue.record("refused for another reason")
            return
        }
        #expect(message.contains("the configuration is not valid for it"))
        #expect(try daemon.worker("a").state == "ready")
    }
}
