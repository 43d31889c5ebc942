import ControlProtocol
import LinuxSystem
import MonotonicTime
import SystemProcess
import Spool

/// Follows holdfastd's events into the spool, each exactly once, with the incidents that they are about.
final class EventFollower {
    private let loop: EventLoop
    private let connections: ControlConnections
    private let client: ControlClient
    private let queue: QueueSpool
    private let file: EventPositionFile
    private let boot: BootClock
    private var position: EventPosition?
    private var stream: VarlinkStream?
    private var opening: Int?
    private var retry: TimerID?
    /// Came, and are not in the spool yet.
    private var batch: [EventReport] = []
    private var isWriting = false
    private var isFirstReply = true

    var onTrouble: (String) -> Void = { _ in }

    private static let pause: Duration = .seconds(5)
    /// The numbers go on so far behind the last one that was known, when a supervisor takes over from a dead one.
    private static let adoptionGap = 10_000
    private static let mostIncidents = 100

    init(
        loop: EventLoop, connections: ControlConnections, client: ControlClient, queue: QueueSpool,
        folder: DurableFolder, boot: BootClock
    ) {
        self.loop = loop
        self.connections = connections
        self.client = client
        self.queue = queue
        self.boot = boot
        file = EventPositionFile(folder)
        position = file.load(queue.spool, boot)
    }

    deinit {
        if let retry { loop.cancel(retry) }
    }

    func start() {
        guard stream == nil, opening == nil else { return }
        // The answer may get lost with a holdfastd that dies: then this process ends too.
        opening = connections.open { [weak self] in self?.connected($0) }
    }

    private func connected(_ socket: UnixStream) {
        opening = nil
        isFirstReply = true
        do throws(SystemError) {
            let stream = try VarlinkStream(loop: loop, stream: socket)
            stream.onReply = { [weak self] in self?.take($0) }
            stream.onTurnEnded = { [weak self] in self?.write() }
            stream.onClosed = { [weak self] _ in self?.startLater() }
            self.stream = stream
            // All that are kept: which of them are new shows by their time.
            stream.send(RuntimeMethod.events(since: nil, follow: true).call)
        } catch {
            onTrouble("events are not followed: \(error)")
            startLater()
        }
    }

    private func startLater() {
        (stream, batch) = (nil, isWriting ? batch : [])
        guard retry == nil else { return }
        retry = loop.schedule(at: loop.now + Self.pause) { [weak self] in
            self?.retry = nil
            self?.start()
        }
    }

    private func take(_ reply: VarlinkReply) {
        guard reply.error == nil, let answer = try? EventsReply(json: .object(reply.parameters)) else {
            onTrouble("events are not followed: \(reply.error ?? "the reply cannot be read")")
            return startLater()
        }
        if isFirstReply { noteMissed(answer) }
        isFirstReply = false
        guard let event = answer.event, !(position?.covers(event, boot: boot.bootID) ?? false) else { return }
        batch.append(event)
    }

    /// The ring may have lost what nobody has read.
    private func noteMissed(_ answer: EventsReply) {
        guard let position, position.boot == boot.bootID else { return }
        let missed = answer.firstAvailable - position.sequence - 1
        guard missed > 0, missed < Self.adoptionGap else { return }
        try? queue.append([EventRecord.loss(reason: "unread", count: missed, boot, at: loop.now)])
    }

    // MARK: Into the spool

    private func write() {
        guard !isWriting, !batch.isEmpty else { return }
        isWriting = true
        // The ring of holdfastd keeps what comes meanwhile.
        stream?.pause(true)
        let events = batch
        batch = []
        let workers = Set(events.filter { $0.details["incident"]?.intValue != nil }.map { $0.worker ?? "" })
        guard !workers.isEmpty else { return append(events, []) }
        let worker = workers.count == 1 ? workers.first.flatMap { $0.isEmpty ? nil : $0 } : nil
        client.call(.incidents(worker: worker, limit: Self.mostIncidents)) { [weak self] result in
            var incidents: [IncidentReport] = []
            if case .success(let replies) = result, let reply = replies.first,
                let answer = try? IncidentsReply(json: .object(reply))
            {
                incidents = answer.incidents
            }
            self?.append(events, incidents)
        }
    }

    /// One by one: when the disk takes no more, it is known which are kept.
    private func append(_ events: [EventReport], _ incidents: [IncidentReport]) {
        var told: Set<Int> = []
        var refusal: SpoolError?
        for event in events {
            do throws(SpoolError) {
                try queue.append([EventRecord.runtime(event, boot)])
            } catch {
                refusal = error
                break
            }
            position = EventPosition(boot: boot.bootID, monotonic: event.monotonic, sequence: event.sequence)
            guard let number = event.details["incident"]?.intValue, told.insert(number).inserted,
                let incident = incidents.first(where: { $0.id == number })
            else { continue }
            // It comes again when it is completed.
            try? queue.append([EventRecord.incident(incident, of: event, boot)])
        }
        savePosition()
        isWriting = false
        if let refusal {
            onTrouble("events wait for room on the disk: \(refusal)")
            return startLater()
        }
        stream?.pause(false)
        write()
    }

    private func savePosition() {
        guard let position else { return }
        do throws(SystemError) {
            try file.save(position, queue.spool, record: queue.spool.statistics.written)
        } catch {
            onTrouble("\(error)")
        }
        do throws(SpoolError) { try queue.sync() } catch { onTrouble("\(error)") }
    }
}
