import ControlProtocol
import LinuxSystem
import MonotonicTime

/// Answers calls of `Logs` on connections that holdfastd handed over: the last lines, then those that come.
final class LogService {
    /// Connections at a time.
    static let mostClients = 16
    /// Lines of one answer before following begins.
    static let mostLines = TailRing.defaultMaximumLines
    /// Bytes of them; the older lines beyond are left out. Leaves room in the client's queue for the first new lines.
    static let mostBytes = LogClient.largestQueue * 3 / 4

    private let loop: EventLoop
    private var clients: [ObjectIdentifier: LogClient] = [:]

    /// Clients that were dropped because they did not read.
    private(set) var droppedClients = 0
    /// Called when one is dropped; the number of all so far.
    var onDropped: (_ worker: String, _ total: Int) -> Void = { _, _ in }

    init(loop: EventLoop) {
        self.loop = loop
    }

    var clientCount: Int { clients.count }

    /// Answers with an error alone.
    func refuse(_ connection: SharedDescriptor, _ error: RuntimeError) {
        guard let descriptor = connection.take() else { return }
        let stream = UnixStream(owning: descriptor)
        // Whether it arrives is the client's business.
        _ = try? stream.send(MessageFramer.frame(error.reply))
    }

    /// Answers with at most so many lines, then with each new one when `follow` is set. Without `more` the client takes
    /// one reply only: the newest line.
    func serve(_ connection: SharedDescriptor, _ worker: WorkerOutput, lines: Int, follow: Bool, more: Bool) {
        guard clients.count < LogService.mostClients else {
            let message = "\(LogService.mostClients) readers of logs are connected already; end one of them"
            return refuse(connection, .unavailable(message: message))
        }
        guard let descriptor = connection.take(),
            let client = try? LogClient(loop: loop, stream: UnixStream(owning: descriptor))
        else { return }
        clients[ObjectIdentifier(client)] = client
        client.onEnd = { [weak self, weak client, weak worker] end in
            guard let self, let client else { return }
            remove(client, worker, end)
        }
        let follow = follow && more
        let frames = backlog(worker, lines: more ? lines : 1, continues: follow)
        for frame in frames { client.send(frame) }
        guard follow else { return client.finish() }
        if worker.followers.isEmpty { worker.skippedLines = 0 }
        if client.isOpen { worker.followers.append(client) }
    }

    /// Sends new lines to the worker's followers.
    func publish(_ worker: WorkerOutput, _ batch: LineBatch) {
        for line in batch.lines {
            let report = LogLineReport(
                time: LogService.seconds(batch.time), worker: worker.name,
                line: LineText.text(batch.bytes[line.range], line.ending), lost: worker.skippedLines)
            worker.skippedLines = 0
            let frame = MessageFramer.frame(VarlinkReply(LogsReply(line: report), continues: true))
            // A client that is too slow leaves the list meanwhile.
            for client in worker.followers { client.send(frame) }
        }
    }

    /// Ends the calls that follow a worker: it is gone.
    func end(followersOf worker: WorkerOutput) {
        let last = MessageFramer.frame(VarlinkReply(LogsReply(line: nil)))
        for client in worker.followers {
            client.send(last)
            client.finish()
        }
        worker.followers = []
    }

    private func backlog(_ worker: WorkerOutput, lines: Int, continues: Bool) -> [[UInt8]] {
        var kept = worker.tail.last(lines: min(lines, LogService.mostLines))[...]
        if kept.isEmpty && !continues { return [MessageFramer.frame(VarlinkReply(LogsReply(line: nil)))] }
        var frames: [[UInt8]] = []
        var bytes = 0
        while let line = kept.popLast() {
            let report = LogLineReport(
                time: LogService.seconds(line.time), worker: worker.name, line: LineText.text(line.bytes, line.ending),
                lost: 0)
            let isLast = frames.isEmpty && !continues
            let frame = MessageFramer.frame(VarlinkReply(LogsReply(line: report), continues: !isLast))
            bytes += frame.count
            if bytes > LogService.mostBytes && !frames.isEmpty { break }
            frames.append(frame)
        }
        return frames.reversed()
    }

    private func remove(_ client: LogClient, _ worker: WorkerOutput?, _ end: LogClient.End) {
        clients[ObjectIdentifier(client)] = nil
        worker?.followers.removeAll { $0 === client }
        guard end == .tooSlow else { return }
        droppedClients += 1
        onDropped(worker?.name ?? "", droppedClients)
    }

    private static func seconds(_ microseconds: Int64) -> Double {
        Double(microseconds) / 1_000_000
    }
}
