import Configuration
import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision

/// The channel to `holdfast-output`: which FIFOs it drains, what it is asked, and what it answers. Every process of it
/// gets a channel of its own and is told everything anew; nothing here waits for it.
final class OutputLink {
    private let loop: EventLoop
    private let chronicle: Chronicle
    private let longestQueue: Int
    private var channel: UnixStream?
    private var registration: EventLoop.Registration?
    private var queue: [Packet] = []
    private var flushTimer: TimerID?
    private var awaitsWritability = false
    private var lastTailID = 0
    private var tails: [Int: ([String]) -> Void] = [:]

    /// Events that the log will not have: no `holdfast-output` read them as long as the ring had them.
    private(set) var missedEvents = 0
    /// Whether a process is there that has said it is ready.
    private(set) var isReady = false

    /// Called when a new process has to be told of every worker.
    var onConnect: () -> Void = {}
    var onReady: () -> Void = {}
    var onWarning: (String) -> Void = { _ in }
    /// Called when nobody listens any more.
    var onDisconnect: () -> Void = {}
    var onLost: (_ worker: String, _ loss: LossLedger.Share) -> Void = { _, _ in }

    /// The number of the last event that was sent.
    private var lastSentEvent: Int
    /// The number of the last one that a process has confirmed. Those after it are its successor's to log.
    private var lastLoggedEvent: Int
    /// By number; still to be reported.
    private var missed: [Range<Int>] = []
    var onMissed: (_ events: Range<Int>) -> Void = { _ in }

    private struct Packet {
        let bytes: [UInt8]
        let descriptor: SharedDescriptor?
    }

    private static let gatheringTime: Duration = .milliseconds(20)
    private static let largestPacket = 64 * 1024

    /// - Parameters:
    ///   - chronicle: the events to be logged.
    ///   - longestQueue: packets that may wait for a process that does not read.
    init(loop: EventLoop, chronicle: Chronicle, longestQueue: Int = 16 * 1024) {
        self.loop = loop
        self.chronicle = chronicle
        self.longestQueue = longestQueue
        // What an earlier runtime has recorded is no longer known.
        lastLoggedEvent = chronicle.events.first - 1
        lastSentEvent = lastLoggedEvent
    }

    /// Makes the channel of a new process and queues what it has to know.
    /// - Returns: the end that the process inherits.
    func connect() throws(SystemError) -> UnixStream {
        disconnect()
        let (ours, theirs) = try UnixStream.makePacketPair()
        channel = ours
        registration = try loop.register(ours.rawValue, .readable) { [weak self] readiness in
            self?.handle(readiness)
        }
        onConnect()
        return theirs
    }

    func disconnect() {
        let wasConnected = channel != nil
        // Its last words count: what it has logged, and what is lost. Where it has left a word of ours unread, the
        // first call tells that, and only the next ones what it said (ECONNRESET).
        for _ in 0..<2 { while receive() == .packet {} }
        if let registration { loop.unregister(registration) }
        registration = nil
        channel = nil
        isReady = false
        lastSentEvent = lastLoggedEvent
        queue = []
        awaitsWritability = false
        let unanswered = tails.values
        tails = [:]
        for answer in unanswered { answer([]) }
        if wasConnected { onDisconnect() }
    }

    /// Says where logs go, and hands over the folder for them.
    func configure(_ configuration: Configuration, _ folder: LogFolder) {
        send(configuration.outputMessage(folder), folder.descriptor)
    }

    /// Hands over a worker's FIFO, both ends of it.
    func add(_ worker: String, _ output: WorkerOutput, reading fifo: SharedDescriptor) {
        send(output.message(for: worker), fifo)
    }

    func remove(_ worker: String) {
        send(["type": "remove", "worker": .string(worker)])
    }

    func started(_ worker: String, pid: Int, _ instance: InstanceID) {
        send([
            "type": "started", "worker": .string(worker), "pid": .int(Int64(pid)),
            "instance": .int(Int64(clamping: instance.rawValue)),
        ])
    }

    /// Has the events logged that no process was told of yet, as far as there is room; the ring keeps the others until
    /// there is. Those that it has overwritten meanwhile are missed, which becomes an event itself.
    func logEvents() {
        guard channel != nil else { return }
        while hasRoom, lastSentEvent + 1 < chronicle.events.next {
            let next = max(lastSentEvent + 1, chronicle.events.first)
            if next > lastSentEvent + 1 {
                missed.append(lastSentEvent + 1..<next)
                // They are told of once, whoever comes.
                lastLoggedEvent = max(lastLoggedEvent, next - 1)
            }
            guard let event = chronicle.events[next] else { return }
            lastSentEvent = next
            send(["type": "event", "event": event.report.json])
        }
        // Not before: each new event pushes an old one out.
        if hasRoom { reportMissed() }
    }

    private func reportMissed() {
        let ranges = missed
        missed = []
        for range in ranges {
            missedEvents += range.count
            onMissed(range)
        }
    }

    /// Asks for the last lines of an instance; an empty list comes when there is no answer.
    func requestTail(
        of worker: String, _ instance: InstanceID, lines: Int, bytes: Int, _ answer: @escaping ([String]) -> Void
    ) {
        guard channel != nil, hasRoom else { return answer([]) }
        lastTailID += 1
        tails[lastTailID] = answer
        send([
            "type": "tail", "id": .int(Int64(lastTailID)), "worker": .string(worker),
            "instance": .int(Int64(clamping: instance.rawValue)), "lines": .int(Int64(lines)),
            "max_bytes": .int(Int64(bytes)),
        ])
    }

    /// Hands a client over; its `Logs` call is answered by `holdfast-output` itself.
    /// - Returns: whether there was a process to take it.
    func handOver(_ client: UnixStream, worker: String, lines: Int?, follow: Bool) -> Bool {
        guard isReady, hasRoom, let duplicate = try? SystemCall.duplicate(client.rawValue) else { return false }
        send(
            [
                "type": "logs", "worker": .string(worker), "lines": .int(Int64(lines ?? 50)), "follow": .bool(follow),
                "more": true,
            ], SharedDescriptor(duplicate), isUrgent: true)
        return true
    }

    /// A process that does not read must not have us collect questions without end. What it has to know is queued all
    /// the same: it is replaced before that is much.
    private var hasRoom: Bool { queue.count < longestQueue }

    /// Queues a packet. Unless it is urgent it waits a moment for others: in a burst of deaths the processors belong to
    /// the replacements, not to what is written about them.
    private func send(_ message: JSONValue, _ descriptor: SharedDescriptor? = nil, isUrgent: Bool = false) {
        guard channel != nil else { return }
        queue.append(Packet(bytes: message.serialised(), descriptor: descriptor))
        if isUrgent {
            flush()
        } else {
            scheduleFlush()
        }
    }

    private func flush() {
        guard let channel else { return }
        var sent = 0
        var isFull = false
        defer {
            queue.removeFirst(min(sent, queue.count))
            awaitWritability(isFull)
            logEvents()
        }
        while sent < queue.count {
            let descriptors = [queue[sent].descriptor?.rawValue].compactMap { $0 }
            do throws(SystemError) {
                guard case .done = try channel.send(queue[sent].bytes, descriptors: descriptors) else {
                    isFull = true
                    return
                }
            } catch {
                if error.isTransient { return scheduleFlush() }
                // It is going away; the hang-up says so too. A packet that is too large is dropped like that as well.
            }
            sent += 1
        }
    }

    private func scheduleFlush() {
        guard flushTimer == nil else { return }
        flushTimer = loop.schedule(at: loop.now + Self.gatheringTime) { [weak self] in
            self?.flushTimer = nil
            self?.flush()
        }
    }

    private func awaitWritability(_ isAwaited: Bool) {
        guard let registration, awaitsWritability != isAwaited else { return }
        awaitsWritability = isAwaited
        try? loop.modify(registration, isAwaited ? [.readable, .writable] : .readable)
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.readable), receive() == .end { return disconnect() }
        if readiness.contains(.writable) { flush() }
        if readiness.contains(.hangUp) { disconnect() }
    }

    private enum Received {
        case packet, nothing, end
    }

    /// Takes one packet.
    private func receive() -> Received {
        guard let channel else { return .nothing }
        let packet = withUnsafeTemporaryAllocation(byteCount: Self.largestPacket, alignment: 1) { buffer -> [UInt8]? in
            guard let result = try? channel.receive(into: buffer), case .done(let message) = result else { return nil }
            return Array(buffer[..<message.count])
        }
        guard let packet else { return .nothing }
        guard !packet.isEmpty else { return .end }
        guard let message = try? JSONValue.parse(packet) else { return .packet }
        switch message["type"]?.stringValue {
        case "ready":
            isReady = true
            onReady()
        case "tail":
            guard let id = message["id"]?.intValue, let answer = tails.removeValue(forKey: id) else { break }
            answer((message["lines"]?.arrayValue ?? []).compactMap(\.stringValue))
        case "logged":
            lastLoggedEvent = max(lastLoggedEvent, min(message["event"]?.intValue ?? 0, lastSentEvent))
        case "lost":
            onLost(
                message["worker"]?.stringValue ?? "",
                LossLedger.Share(
                    lines: message["lines"]?.intValue ?? 0, bytes: message["bytes"]?.intValue ?? 0,
                    because: message["because"]?.stringValue ?? ""))
        case "warning":
            onWarning(message["message"]?.stringValue ?? "")
        default:
            break  // from a newer version
        }
        return .packet
    }
}

extension Configuration {
    /// What `holdfast-output` has to know before anything else.
    fileprivate func outputMessage(_ folder: LogFolder) -> JSONValue {
        [
            "type": "configure", "runtime": .string(runtime.name),
            "log_directory": folder.descriptor == nil ? .null : .string(folder.path),
            "journal": .string(output.journal.rawValue),
        ]
    }
}

extension WorkerOutput {
    /// Whose FIFO comes with the message, and how much of it is kept.
    fileprivate func message(for worker: String) -> JSONValue {
        [
            "type": "add", "worker": .string(worker), "rate_bytes_per_s": .int(bytesPerSecond),
            "burst_bytes": .int(burstBytes), "max_file_bytes": .int(maxFileBytes), "files": .int(Int64(files)),
        ]
    }
}
