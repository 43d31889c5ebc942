import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// Clients that misbehave at the control socket disturb nobody.
@Suite(.timeLimit(.minutes(2))) struct ControlTests {
    static let steady = """
        [[worker]]
        name = "a"
        command = ["WORKER", "steady"]
        ready = "notify"
        """

    @Test(arguments: ["hello", "{\"method\":", "[]", "{}", "\"text\""])
    func `garbage ends the connection and nothing else`(garbage: String) throws {
        let daemon = try Daemon(Self.steady)
        try daemon.await("a", "ready")
        let connection = try daemon.connect()
        try connection.send(Array(garbage.utf8) + [0])
        #expect(throws: VarlinkConnection.Closed.self) { try connection.receive() }
        #expect(try daemon.worker("a").state == "ready")
    }

    @Test func `a message without end is cut off at the limit of a request`() throws {
        let daemon = try Daemon(Self.steady)
        let connection = try daemon.connect()
        let megabyte = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        #expect(throws: (any Error).self) {
            for _ in 0..<100 { try connection.send(megabyte) }
        }
        #expect(try daemon.worker("a").name == "a")
        #expect(try Memory.residentKilobytes(of: daemon.process.processIdentifier) < 32 * 1024)
    }

    @Test func `a client that never reads holds one reply, not the daemon`() throws {
        let daemon = try Daemon(Self.steady)
        let connection = try daemon.connect()
        let call = MessageFramer.frame(RuntimeMethod.status.call.json)
        // As many calls as the socket takes: the daemon stops reading once a reply does not fit.
        #expect(throws: VarlinkConnection.TimedOut.self) {
            for _ in 0..<100_000 { try connection.send(call, within: .milliseconds(500)) }
        }
        #expect(try daemon.worker("a").name == "a")
        #expect(try Memory.residentKilobytes(of: daemon.process.processIdentifier) < 32 * 1024)
    }

    @Test func `a client that goes away in the middle of a message leaves no trace`() throws {
        let daemon = try Daemon(Self.steady)
        try daemon.await("a", "ready")
        let before = try Memory.openDescriptors(of: daemon.process.processIdentifier)
        for _ in 0..<50 {
            let connection = try daemon.connect()
            try connection.send(Array("{\"method\":\"io.hold".utf8))
        }
        for _ in 0..<50 { _ = try daemon.status() }
        #expect(try Memory.openDescriptors(of: daemon.process.processIdentifier) <= before + 1)
    }

    @Test func `idle connections keep nobody out`() throws {
        let daemon = try Daemon(Self.steady)
        let idle = try (1...200).map { _ in try daemon.connect() }
        #expect(try daemon.status().workers.contains { $0.name == "a" })
        try daemon.call(.restartWorker(name: "a"))
        try daemon.await("a", "ready")
        withExtendedLifetime(idle) {}
    }

    @Test func `clients for whom there is no descriptor wait, and cost nothing`() throws {
        let daemon = try Daemon(Self.steady)
        let pid = daemon.process.processIdentifier
        try daemon.await("a", "ready")
        try Memory.limitDescriptors(of: pid, to: try Memory.openDescriptors(of: pid))
        let clients = try (1...5).map { _ in try daemon.connect() }
        for client in clients { try client.send(MessageFramer.frame(RuntimeMethod.status.call.json)) }
        let before = try Memory.processorTime(of: pid)
        let last = try #require(clients.last)
        #expect(throws: VarlinkConnection.TimedOut.self) { try last.receive(within: .seconds(2)) }
        #expect(try Memory.processorTime(of: pid) - before < .milliseconds(200))
        try Memory.limitDescriptors(of: pid, to: 500)
        for client in clients { #expect(try client.receive().error == nil) }
    }

    @Test func `events have sequence numbers without gaps, and a follower gets the new ones`() throws {
        let daemon = try Daemon(Self.steady)
        try daemon.await("a", "ready")
        let connection = try daemon.connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.events(since: 0, follow: true).call.json))
        kill(try daemon.pid("a"), SIGKILL)
        var sequences: [Int] = []
        var kinds: [String] = []
        while kinds.last != "worker-recovered" {
            let event = try #require(try EventsReply(json: try connection.receive().parameters.json).event)
            sequences.append(event.sequence)
            kinds.append(event.kind)
        }
        #expect(sequences == Array(1...sequences.count))
        #expect(kinds.contains("worker-failed"))
    }

    @Test(arguments: [Int.max, Int.max - 1, Int.min, -1])
    func `no number disturbs the runtime`(number: Int) throws {
        let daemon = try Daemon(Self.steady)
        try daemon.await("a", "ready")
        for method in [
            RuntimeMethod.events(since: number, follow: false), .incidents(worker: "a", limit: number),
            .logs(worker: "a", lines: number, follow: false),
        ] {
            let connection = try daemon.connect()
            try connection.send(MessageFramer.frame(method.call.json))
            _ = try connection.receive()
        }
        #expect(daemon.process.isRunning)
        #expect(try daemon.worker("a").restarts == 0)
    }

    @Test func `a worker that does not exist is named in the error`() throws {
        let daemon = try Daemon(Self.steady)
        let refused = #expect(throws: VarlinkConnection.Refused.self) { try daemon.call(.startWorker(name: "b")) }
        #expect(refused?.reply == RuntimeError.noSuchWorker(name: "b").reply)
    }

    @Test func `without the right to give the socket to a group it is the user's alone`() throws {
        try #require(getuid() == 0, "needs root to become somebody else")
        let daemon = try Daemon(
            Self.steady, runtime: "control_group = \"daemon\"",
            launcher: ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], permissions: 0o777)
        try daemon.await("a", "ready")
        #expect(try daemon.status().runtime.warnings.contains { $0.hasPrefix("control_group: ") })
        let attributes = try FileManager.default.attributesOfItem(atPath: daemon.socket)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a user without rights is not let in`() throws {
        try #require(getuid() == 0, "needs root to become somebody else")
        let daemon = try Daemon(Self.steady)
        let client = Process()
        client.executableURL = URL(filePath: "/usr/bin/setpriv")
        client.arguments = [
            "--reuid=65534", "--regid=65534", "--clear-groups", Daemon.binaries.appending(path: "holdfast").path,
            "status", "--socket", daemon.socket,
        ]
        client.standardError = FileHandle.nullDevice
        client.standardOutput = FileHandle.nullDevice
        try client.run()
        client.waitUntilExit()
        #expect(client.terminationStatus == 3 || client.terminationStatus == 4)
    }

    @Test func `the interface introspects itself`() throws {
        let daemon = try Daemon(Self.steady)
        let info = try daemon.connect().call(VarlinkServiceMethod.getInfo.call)
        #expect(info.parameters["interfaces"]?.arrayValue?.contains(.string(RuntimeInterface.name)) == true)
        let description = try daemon.connect().call(
            VarlinkServiceMethod.getInterfaceDescription(interface: RuntimeInterface.name).call)
        #expect(description.parameters["description"]?.stringValue == RuntimeInterface.definition)
    }
}
