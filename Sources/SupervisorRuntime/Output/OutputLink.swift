import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import Supervision

/// The channel to `holdfast-output`: which FIFOs it drains, what it is asked, and what it answers. Every process of it
/// gets a channel of its own and is told everything anew; nothing here waits for it.
final class OutputLink {
    private let chronicle: Chronicle
    private let longestQueue: Int
    private let channel: SystemChannel
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

    private static let gatheringTime: Duration = .milliseconds(20)

    /// - Parameters:
    ///   - chronicle: the events to be logged.
    ///   - longestQueue: packets that may wait for a process that does not read.
    init(loop: EventLoop, chronicle: Chronicle, longestQueue: Int = 16 * 1024) {
        self.chronicle = chronicle
        self.longestQueue = longestQueue
        // What an earlier runtime has recorded is no longer known.
        lastLoggedEvent = chronicle.events.first - 1
        lastSentEvent = lastLoggedEvent
        channel = SystemChannel(loop: loop, gatheringTime: Self.gatheringTime)
        channel.onPacket = { [weak self] in self?.take($0) }
        channel.onHangUp = { [weak self] in self?.disconnect() }
        channel.onFlushed = { [weak self] _ in
            self?.logEvents()
            return false
        }
    }

    /// Makes the channel of a new process and queues what it has to know.
    /// - Returns: the end that the process inherits.
    func connect() throws(SystemError) -> UnixStream {
        disconnect()
        let theirs = try channel.open()
        onConnect()
        return theirs
    }

    func disconnect() {
        let wasConnected = channel.isOpen
        // Its last words count: what it has logged, and what is lost.
        channel.close()
        isReady = false
        lastSentEvent = lastLoggedEvent
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

    /// Has JSON objects in a worker's output sent to a socket instead of logged, or (`nil`) logged again.
    func takeTelemetry(from worker: String, to socket: SharedDescriptor?) {
        send(["type": "telemetry", "worker": .string(worker), "on": .bool(socket != nil)], socket)
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
        guard channel.isOpen else { return }
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
        guard channel.isOpen, hasRoom else { return answer([]) }
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
    private var hasRoom: Bool { channel.queued < longestQueue }

    /// Queues a packet. Unless it is urgent it waits a moment for others.
    private func send(_ message: JSONValue, _ descriptor: SharedDescriptor? = nil, isUrgent: Bool = false) {
        guard channel.isOpen else { return }
        channel.send(message.serialised(), descriptor)
        if isUrgent { channel.flush() }
    }

    private func take(_ packet: [UInt8]) {
        guard let message = try? JSONValue.parse(packet) else { return }
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
