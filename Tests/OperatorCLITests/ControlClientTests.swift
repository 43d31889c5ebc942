import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

@testable import OperatorCLI

/// The client against servers that are broken in every way.
@Suite(.timeLimit(.minutes(1))) struct ControlClientTests {
    /// Long enough for a loaded machine where an answer is expected.
    private static let patience = Duration.seconds(20)
    /// Where none will come.
    private static let impatience = Duration.milliseconds(100)

    /// One call of Status to a server with one reaction.
    private func failure(_ reaction: ScriptedServer.Reaction, timeout: Duration = patience) throws -> ClientError? {
        let server = try ScriptedServer { _ in reaction }
        defer { server.stop() }
        do {
            _ = try ControlClient(path: server.path, timeout: timeout).status()
            return nil
        } catch {
            return error
        }
    }

    @Test func `a status comes through`() throws {
        let server = try ScriptedServer(status: Fixtures.status)
        defer { server.stop() }
        let client = try ControlClient(path: server.path, timeout: Self.patience)
        #expect(try client.status() == Fixtures.status)
        #expect(try client.status() == Fixtures.status)
    }

    @Test func `a reply larger than a socket's buffer comes through`() throws {
        var report = Fixtures.status
        report.workers = (0..<5000).map { (number: Int) in
            Fixtures.worker("worker-\(number)", "vision", "ready", pid: number)
        }
        let server = try ScriptedServer(status: report)
        defer { server.stop() }
        #expect(try ControlClient(path: server.path, timeout: Self.patience).status() == report)
    }

    @Test func `replies that arrive together are kept apart`() throws {
        let reply = MessageFramer.frame(VarlinkReply(Fixtures.status))
        let server = try ScriptedServer { _ in .send(reply + reply) }
        defer { server.stop() }
        let client = try ControlClient(path: server.path, timeout: Self.patience)
        #expect(try client.status() == Fixtures.status)
        #expect(try client.status() == Fixtures.status)
    }

    @Test func `a stream ends with its last reply`() throws {
        let events = (1...3).map { number in
            EventReport(
                sequence: number, time: 0, monotonic: 0, kind: "reloaded", worker: nil, supervisor: nil, message: "m",
                details: [:])
        }
        let server = try ScriptedServer { _ in
            .reply(
                events.map { VarlinkReply(EventsReply(event: $0, firstAvailable: 1), continues: true) }
                    + [VarlinkReply(EventsReply(firstAvailable: 1))])
        }
        defer { server.stop() }
        let client = try ControlClient(path: server.path, timeout: Self.patience)
        var received: [EventReport] = []
        try client.stream(.events(since: nil, follow: false), as: EventsReply.self, waitsForEver: false) {
            received += [$0.event].compactMap(\.self)
        }
        #expect(received == events)
        #expect(server.calls.map(\.more) == [true])
    }

    @Test func `nobody listening is unreachable`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/hf-none-\(UUID().uuidString.prefix(8)).sock"
        #expect(throws: ClientError.unreachable(path: path)) { try ControlClient(path: path) }
        #expect(throws: ClientError.unreachable(path: path + "/x")) { try ControlClient(path: path + "/x") }
    }

    @Test func `a socket whose server has died is unreachable`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/hf-dead-\(UUID().uuidString.prefix(8)).sock"
        let leftOver = path + ".left"
        // The listener removes its own path; a second link stays.
        do {
            let listener = try UnixListener(path: path)
            try FileManager.default.linkItem(atPath: listener.path, toPath: leftOver)
        }
        defer { try? FileManager.default.removeItem(atPath: leftOver) }
        #expect(throws: ClientError.unreachable(path: leftOver)) { try ControlClient(path: leftOver) }
        #expect(throws: ClientError.unreachable(path: leftOver + "/x")) { try ControlClient(path: leftOver + "/x") }
    }

    @Test func `a file that is no socket is unreachable`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/hf-file-\(UUID().uuidString.prefix(8))"
        try Data().write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: ClientError.unreachable(path: path)) { try ControlClient(path: path) }
    }

    @Test func `a path that is too long is an error of its own`() {
        let path = "/" + String(repeating: "x", count: 200)
        #expect {
            try ControlClient(path: path)
        } throws: {
            if case .system(let error)? = $0 as? ClientError { error.call == "connect" } else { false }
        }
    }

    @Test func `a server that never accepts costs the timeout at most`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/hf-full-\(UUID().uuidString.prefix(8)).sock"
        let listener = try UnixListener(path: path, backlog: 0)
        let waiting = try UnixStream.connect(to: path)
        #expect(throws: ClientError.timedOut(path: path, after: Self.impatience)) {
            try ControlClient(path: path, timeout: Self.impatience)
        }
        withExtendedLifetime((listener, waiting)) {}
    }

    @Test(arguments: [[], Array("{\"parameters\":".utf8), [UInt8](repeating: 0x20, count: 10_000)])
    func `a server that hangs in the middle costs the timeout at most`(bytes: [UInt8]) throws {
        let start = MonotonicClock.now()
        guard case .timedOut? = try failure(.sendAndHang(bytes), timeout: Self.impatience) else {
            Issue.record("no timeout")
            return
        }
        #expect(start.duration(to: MonotonicClock.now()) < Self.patience)
    }

    @Test(arguments: [[], Array("{\"parameters\":{}".utf8)])
    func `a connection that ends too early is an error`(bytes: [UInt8]) throws {
        guard case .disconnected? = try failure(.sendAndClose(bytes)) else {
            Issue.record("no disconnection")
            return
        }
    }

    @Test(arguments: [
        Array("\0".utf8), Array("garbage\0".utf8), Array("[]\0".utf8), Array("{\"parameters\":[]}\0".utf8),
        Array("{\"parameters\":{}}\0".utf8), Array("{\"error\":7}\0".utf8), [0xff, 0xfe, 0],
        Array("{\"parameters\":{\"runtime\":{},\"supervisors\":[],\"workers\":[]}}\0".utf8),
        Array("HTTP/1.1 400 Bad Request\r\n\r\n\0".utf8),
        Array((String(repeating: "[", count: 100_000) + "\0").utf8),
    ])
    func `garbage is refused with a reason`(bytes: [UInt8]) throws {
        guard case .malformed(_, let reason)? = try failure(.send(bytes)) else {
            Issue.record("not refused")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func `an endless reply is refused at the limit`() throws {
        let bytes = [UInt8](repeating: 0x20, count: JSONLimits.reply.maximumBytes + 100_000)
        guard case .malformed? = try failure(.sendAndHang(bytes)) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `errors of the runtime and of the protocol come through`() throws {
        #expect(
            try failure(.reply([RuntimeError.noSuchWorker(name: "cam").reply])) == .refused(.noSuchWorker(name: "cam")))
        #expect(try failure(.reply([VarlinkServiceError.permissionDenied.reply])) == .rejected(.permissionDenied))
        #expect(try failure(.reply([VarlinkReply(error: "a.b.Novel")])) == .unknown(name: "a.b.Novel"))
    }
}
