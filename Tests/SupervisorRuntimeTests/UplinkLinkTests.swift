import ControlProtocol
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing
import UplinkProtocol

@testable import SupervisorRuntime

/// What a `holdfast-uplink` that the test plays is told over a real channel, and what its words come to.
@Suite(.timeLimit(.minutes(1))) final class UplinkLinkTests {
    private let folder: TemporaryDirectory
    private let loop: EventLoop
    private let link: UplinkLink
    private var reports: [UplinkReport] = []

    init() throws {
        folder = try TemporaryDirectory()
        loop = try EventLoop()
        link = UplinkLink(loop: loop)
        link.onReport = { [unowned self] in reports.append($0) }
    }

    private static let settings = UplinkSettings(
        name: "bench", folder: "/a", spoolFolder: "/b", events: UplinkSettings.Queue(quota: 1 << 20),
        readings: UplinkSettings.Queue(quota: 1 << 20, refusesWhenFull: true, timeToLive: .seconds(60)))

    private func read(_ stream: UnixStream, _ count: Int) throws -> [(
        request: UplinkRequest, socket: SharedDescriptor?
    )] {
        var found: [(UplinkRequest, SharedDescriptor?)] = []
        try loop.pump("\(count) packets") {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while case .done(let message) = try buffer.withUnsafeMutableBytes({ try stream.receive(into: $0) }),
                message.count > 0
            {
                let json = try JSONValue.parse(Array(buffer[..<message.count]))
                found.append((try UplinkRequest(json: json), message.descriptors.first))
            }
            return found.count >= count
        }
        return found
    }

    @Test("a process is told its settings first, then the sockets with their limits")
    func telling() throws {
        let socket = try TelemetrySocket(path: folder.path + "/camera")
        link.onConnect = { [unowned self] in
            link.configure(Self.settings)
            link.add("camera", socket, TelemetryLimits(rate: 7))
            link.complete()
        }
        let theirs = try link.connect()
        link.remove("camera")
        let packets = try read(theirs, 4)
        #expect(
            packets.map(\.request) == [
                .configure(Self.settings), .telemetry(worker: "camera", TelemetryLimits(rate: 7)), .workersComplete,
                .forget(worker: "camera"),
            ])
        #expect(packets.map { $0.socket != nil } == [false, true, false, false])
        let sender = try socket.connect()
        _ = try SystemCall.send(sender.rawValue, [42])
        let number = try #require(packets[1].socket?.rawValue)
        #expect(try SystemCall.discardMessage(number), "it is the very socket")
    }

    @Test("a process gets its end of the socket for downloads; without one nobody does")
    func downloads() throws {
        let (ours, theirs) = try UnixStream.makePacketPair()
        #expect(!link.handOverDownloads(theirs))
        let process = try link.connect()
        #expect(link.handOverDownloads(theirs))
        let packets = try read(process, 1)
        #expect(packets.map(\.request) == [.downloads])
        let number = try #require(packets[0].socket?.rawValue)
        _ = try SystemCall.send(number, [7])
        var buffer = [UInt8](repeating: 0, count: 8)
        guard case .done(let message) = try buffer.withUnsafeMutableBytes({ try ours.receive(into: $0) }) else {
            throw SystemError(call: "receive", errno: 0)
        }
        #expect(Array(buffer[..<message.count]) == [7])
    }

    @Test("questions are answered in parts, or with nothing when the process goes")
    func questions() throws {
        let theirs = try link.connect()
        var answers: [String?] = []
        link.ask(.status) { answers.append($0) }
        link.ask(.enrol(token: "hf1.x")) { answers.append($0) }
        let asked = try read(theirs, 2).map(\.request)
        guard case .question(let id, .status) = asked[0] else { throw SystemError(call: "question", errno: 0) }
        for (part, isLast) in [("{\"a\":", false), ("1}", true)] {
            _ = try theirs.send(UplinkReport.answer(id: id, part: part, isLast: isLast).json.serialised())
        }
        _ = try theirs.send(UplinkReport.ready.json.serialised())
        try loop.pump("the answer") { answers == ["{\"a\":1}"] && link.isReady }
        #expect(reports == [.ready])
        var hasGone = false
        link.onDisconnect = { hasGone = true }
        try theirs.shutdownWriting()
        try loop.pump("the end") { hasGone }
        #expect(answers == ["{\"a\":1}", nil])
        #expect(!link.isReady && !link.isConnected)
    }

    @Test("a control connection allows its methods, and no others; only so many at a time")
    func control() throws {
        let server = try ControlServer(
            path: folder.path + "/control", readingGroup: nil, version: "1", loop: loop)
        var called: [RuntimeMethod] = []
        server.onMethod = { method, connection in
            called.append(method)
            connection.send(VarlinkReply())
        }
        var clients: [UnixStream] = []
        for _ in 0..<UplinkWorker.mostControlConnections {
            let (ours, theirs) = try UnixStream.makeStreamPair()
            try server.serve(ours, only: UplinkWorker.methods, atMost: UplinkWorker.mostControlConnections)
            clients.append(theirs)
        }
        let (extra, _) = try UnixStream.makeStreamPair()
        #expect(throws: SystemError.self) {
            try server.serve(extra, only: UplinkWorker.methods, atMost: UplinkWorker.mostControlConnections)
        }
        let client = clients[0]
        func call(_ method: RuntimeMethod) throws -> VarlinkReply {
            _ = try client.send(MessageFramer.frame(method.call.json))
            var framer = MessageFramer()
            var reply: VarlinkReply?
            try loop.pump("a reply to \(method)") {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let result = try buffer.withUnsafeMutableBytes { try client.receive(into: $0) }
                guard case .done(let message) = result else { return false }
                try buffer.withUnsafeBytes {
                    try framer.append(UnsafeRawBufferPointer(rebasing: $0[..<message.count]))
                }
                reply = try framer.next().map { try VarlinkReply(json: JSONValue.parse($0)) }
                return reply != nil
            }
            return try #require(reply)
        }
        for method in [RuntimeMethod.upgrade(binary: nil), .enrol(token: "t"), .uplink] {
            guard case .notPermitted? = RuntimeError(try call(method)) else {
                Issue.record("\(method) was permitted")
                continue
            }
        }
        #expect(RuntimeError(try call(.restartWorker(name: "camera"))) == nil)
        #expect(called == [.restartWorker(name: "camera")])
        withExtendedLifetime(clients) {}
    }

    @Test("with nobody to read them, sockets that are full are emptied, and the others wait")
    func drain() throws {
        let drain = TelemetryDrain(loop: loop)
        let (full, other) = (
            try TelemetrySocket(path: folder.path + "/full"), try TelemetrySocket(path: folder.path + "/other")
        )
        var lost: [String: Int] = [:]
        drain.sockets = { [("full", full), ("other", other)] }
        drain.onLost = { lost[$0, default: 0] += $1 }
        let (sender, second) = (SharedDescriptor(try full.connect()), SharedDescriptor(try other.connect()))
        let (first, last) = (try #require(sender.rawValue), try #require(second.rawValue))
        var sent = 0
        while case .done = try SystemCall.send(first, [1]) { sent += 1 }
        _ = try SystemCall.send(last, [1])
        drain.start()
        try loop.pump("the drain") { !lost.isEmpty }
        drain.stop()
        #expect(lost == ["full": sent])
        #expect(other.discard(atMost: 10) == 1)
    }
}
