import ControlProtocol
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@testable import OutputRuntime

/// An output runtime on a loop that the test pumps, with the test as holdfastd at the other end of a real channel, and
/// real FIFOs that it holds open.
final class OutputFixture {
    let directory: TemporaryDirectory
    let loop: EventLoop
    private(set) var runtime: OutputRuntime?
    private var channel: UnixStream?
    private var registration: EventLoop.Registration?
    private var fifos: [String: SharedDescriptor] = [:]
    private(set) var reports: [JSONValue] = []

    static let limits = OutputLimits(rate: 0, burst: 1 << 20, maximumFileBytes: 1 << 20, rotatedFiles: 2)

    /// - Parameter journal: what is found instead of the machine's journal.
    init(
        journal: (any JournalWriter)? = nil, use: String = "auto", logs: Bool = true,
        environment: ServiceEnvironment = ServiceEnvironment()
    ) throws {
        directory = try TemporaryDirectory()
        loop = try EventLoop()
        try startRuntime(journal, environment)
        try configure(journal: use, logs: logs)
    }

    private func startRuntime(
        _ journal: (any JournalWriter)?, _ environment: ServiceEnvironment
    ) throws {
        let (ours, theirs) = try UnixStream.makePacketPair()
        channel = ours
        registration = try loop.register(ours.rawValue, .readable) { [weak self] _ in self?.receive() }
        let runtime = try OutputRuntime(loop: loop, channel: theirs, environment: environment) { isRequired in
            (journal, journal == nil && isRequired ? "none in this test" : nil)
        }
        try runtime.start()
        self.runtime = runtime
    }

    private func configure(journal: String, logs: Bool) throws {
        try send([
            "type": "configure", "runtime": "bench", "journal": .string(journal),
            "log_directory": logs ? .string(directory.path + "/log") : .null,
        ])
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    // MARK: As holdfastd

    func send(_ message: JSONValue, descriptor: Int32? = nil) throws {
        let sent = try channel?.send(message.serialised(), descriptors: descriptor.map { [$0] } ?? [])
        guard case .done? = sent else { throw SystemError(call: "send", errno: 0) }
    }

    /// Makes a FIFO, holds both its ends, and has it drained.
    func add(_ worker: String, _ limits: OutputLimits = OutputFixture.limits) throws {
        if fifos[worker] == nil {
            try FIFO.create(fifoPath(worker))
            fifos[worker] = SharedDescriptor(try FIFO.openBothEnds(fifoPath(worker)))
        }
        try sendAdd(worker, limits)
    }

    private func sendAdd(_ worker: String, _ limits: OutputLimits) throws {
        try send(
            [
                "type": "add", "worker": .string(worker), "rate_bytes_per_s": limits.rate.json,
                "burst_bytes": limits.burst.json, "max_file_bytes": limits.maximumFileBytes.json,
                "files": (limits.rotatedFiles + 1).json,
            ], descriptor: fifos[worker]?.rawValue)
    }

    /// Lets the runtime go as kill -9 would, with whatever it had in memory, and has a new one begin.
    func replaceRuntime(_ limits: OutputLimits = OutputFixture.limits) throws {
        runtime = nil
        if let registration { loop.unregister(registration) }
        channel = nil
        try startRuntime(nil, ServiceEnvironment())
        try configure(journal: "off", logs: true)
        for worker in fifos.keys { try sendAdd(worker, limits) }
    }

    /// Closes holdfastd's end.
    func closeChannel() {
        if let registration { loop.unregister(registration) }
        registration = nil
        channel = nil
    }

    /// The tail as an incident would get it.
    func tail(_ worker: String, of instance: Int = 1, lines: Int = 20, maximumBytes: Int = 4096) throws -> [String] {
        let before = reports(ofType: "tail").count
        try send([
            "type": "tail", "id": 7, "worker": .string(worker), "instance": instance.json, "lines": lines.json,
            "max_bytes": maximumBytes.json,
        ])
        try loop.pump("a tail") { reports(ofType: "tail").count > before }
        let answer = reports(ofType: "tail").last
        #expect(answer?["id"]?.intValue == 7)
        return (answer?["lines"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    func reports(ofType type: String) -> [JSONValue] {
        reports.filter { $0["type"]?.stringValue == type }
    }

    func lost(_ worker: String) -> LossCount {
        reports(ofType: "lost").filter { $0["worker"]?.stringValue == worker }.reduce(into: LossCount()) {
            $0 += LossCount(lines: $1["lines"]?.intValue ?? 0, bytes: $1["bytes"]?.intValue ?? 0)
        }
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case .done(let message)? = try? channel?.receive(into: buffer), message.count > 0 {
                guard let report = try? JSONValue.parse(Array(buffer[..<message.count])) else {
                    Issue.record("a report is no JSON")
                    continue
                }
                reports.append(report)
            }
        }
    }

    // MARK: As a worker

    /// Opens the FIFO as a worker does.
    func openWriter(_ worker: String) throws -> SharedDescriptor {
        SharedDescriptor(try SystemCall.open(fifoPath(worker), [.readWrite, .nonBlocking]))
    }

    /// Writes text, pumping the loop while the FIFO is full.
    func write(_ text: String, to writer: SharedDescriptor) throws {
        var rest = Array(text.utf8)[...]
        let number = try #require(writer.rawValue)
        while !rest.isEmpty {
            switch try SystemCall.write(number, Array(rest.prefix(4096))) {
            case .done(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try loop.runOnce(timeout: .milliseconds(20))
            }
        }
    }

    func fifoPath(_ worker: String) -> String { "\(directory.path)/\(worker).fifo" }

    /// What holdfastd writes before it starts a process.
    static func mark(_ instance: UInt64) -> String {
        String(decoding: OutputMark(instance: instance).bytes, as: UTF8.self)
    }

    /// Bytes that wait in the FIFO.
    func unread(_ worker: String) throws -> Int {
        try FIFO.unreadBytes(try #require(fifos[worker]?.rawValue))
    }

    // MARK: As a reader of logs

    /// The lines of a log file without their timestamps; of the rotated ones too, oldest first.
    func logged(_ worker: String) -> [String] {
        let paths = [3, 2, 1].map { "\(logPath(worker)).\($0)" } + [logPath(worker)]
        let text = paths.reduce(into: [UInt8]()) {
            $0 += (try? SystemCall.readFile($1, limit: 64 << 20)) ?? []
        }
        return text.split(separator: 10).map { String(decoding: $0.dropFirst(Timestamp.length + 1), as: UTF8.self) }
    }

    func logPath(_ worker: String) -> String { "\(directory.path)/log/\(worker).log" }

    /// Makes a `Logs` call as holdfastd hands it over.
    func openLogs(
        _ worker: String, lines: Int = 10, follow: Bool = false, more: Bool = true
    ) throws -> LogReader {
        let (client, handedOver) = try UnixStream.makeStreamPair()
        try send(
            [
                "type": "logs", "worker": .string(worker), "lines": lines.json, "follow": .bool(follow),
                "more": .bool(more),
            ], descriptor: handedOver.rawValue)
        return try LogReader(loop: loop, stream: client)
    }
}

/// A client of `Logs`.
final class LogReader {
    private let loop: EventLoop
    private let stream: UnixStream
    private var registration: EventLoop.Registration?
    private var framer = MessageFramer(maximumMessageBytes: 1 << 20)
    private(set) var replies: [VarlinkReply] = []
    private(set) var lines: [LogLineReport] = []
    private(set) var isClosed = false

    init(loop: EventLoop, stream: UnixStream) throws {
        self.loop = loop
        self.stream = stream
        registration = try loop.register(stream.rawValue, .readable) { [weak self] _ in self?.read() }
    }

    deinit {
        stopReading()
    }

    /// Goes on without reading: the socket fills.
    func stopReading() {
        if let registration { loop.unregister(registration) }
        registration = nil
    }

    func resumeReading() throws {
        registration = try loop.register(stream.rawValue, .readable) { [weak self] _ in self?.read() }
    }

    private func read() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            guard case .done(let message)? = try? stream.receive(into: buffer), message.count > 0 else {
                isClosed = true
                return stopReading()
            }
            do {
                try framer.append(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]))
                while let frame = try framer.next() {
                    let reply = try VarlinkReply(json: try JSONValue.parse(frame))
                    replies.append(reply)
                    if reply.error == nil, let line = try LogsReply(json: .object(reply.parameters)).line {
                        lines.append(line)
                    }
                }
            } catch {
                Issue.record("a reply could not be read: \(error)")
            }
        }
    }
}
