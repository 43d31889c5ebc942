import ControlProtocol
import LinuxSystem
import MonotonicTime

/// Moves bytes from the FIFOs into the log, one bounded turn at a time: a turn takes at most `turnBytes` of one FIFO,
/// and epoll gives every ready FIFO a turn before any gets the next, so that a flooder starves nobody.
///
/// The order within a turn is look, log, take: bytes leave the FIFO only after their lines are in the log. A process
/// killed in between leaves them to its successor, which repeats one turn at most, and loses nothing but the beginning
/// of a line that was not finished yet.
final class OutputDrain {
    /// What a turn found.
    enum Turn: Equatable {
        /// `isOverLimit`: lines were dropped.
        case bytes(Int, isOverLimit: Bool)
        case empty
        /// It could not be read.
        case failed
    }

    static let turnBytes = 16 * 1024
    /// How long the FIFO of a worker over its limit is left alone after `overLimitTurns` turns, which empty a FIFO of the
    /// usual 64 KiB. The worker may have to wait that long for room in the FIFO, but never longer; dropping its lines as
    /// fast as it can print them would cost a processor core for each of us.
    static let overLimitPause: Duration = .milliseconds(10)
    static let overLimitTurns = 4
    /// What `drainAll` takes at most: the largest FIFO that an unprivileged process can have (fs.pipe-max-size). Whoever
    /// floods on meanwhile has no claim to be read to the end.
    static let drainAllBytes = 1024 * 1024

    private let loop: EventLoop
    private let deadman: DeadmanAlarm
    private let peek: PipePeek
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: turnBytes, alignment: 16)
    private var batch = LineBatch()

    var sink: any LogSink = NoSink()
    /// Called when a worker has losses to report.
    var onLoss: (WorkerOutput) -> Void = { _ in }
    /// Called with the lines that were kept, when the worker has followers.
    var onLines: (WorkerOutput, LineBatch) -> Void = { _, _ in }
    /// Called when a FIFO cannot be read; it is not watched any longer.
    var onFailure: (WorkerOutput, SystemError) -> Void = { _, _ in }

    init(loop: EventLoop, deadman: DeadmanAlarm = DeadmanAlarm(seconds: nil)) throws(SystemError) {
        self.loop = loop
        self.deadman = deadman
        peek = try PipePeek()
    }

    deinit {
        buffer.deallocate()
    }

    // MARK: Watching

    /// Has the loop drain the worker's FIFO from now on. One that is left alone for a moment keeps its pause.
    func watch(_ worker: WorkerOutput) {
        guard worker.registration == nil, worker.resumption == nil, let fifo = worker.fifo.rawValue else { return }
        do throws(SystemError) {
            // After the channel: what holdfastd says of a process comes before what the next one prints.
            worker.registration = try loop.register(fifo, .readable, order: .last) { [weak self, weak worker] _ in
                guard let self, let worker else { return }
                deadman.during { handle(worker) }
            }
        } catch {
            onFailure(worker, error)
        }
    }

    func unwatch(_ worker: WorkerOutput) {
        if let registration = worker.registration { loop.unregister(registration) }
        if let resumption = worker.resumption { loop.cancel(resumption) }
        worker.registration = nil
        worker.resumption = nil
    }

    private func handle(_ worker: WorkerOutput) {
        for _ in 0..<OutputDrain.overLimitTurns {
            guard case .bytes(_, isOverLimit: true) = takeTurn(worker) else { return }
        }
        pause(worker)
    }

    private func pause(_ worker: WorkerOutput) {
        unwatch(worker)
        worker.resumption = loop.schedule(at: loop.now.advanced(by: OutputDrain.overLimitPause)) {
            [weak self, weak worker] in
            guard let self, let worker else { return }
            worker.resumption = nil
            watch(worker)
        }
    }

    // MARK: Taking

    /// Takes what the FIFO holds now, with a bound on what a worker adds meanwhile.
    func drainAll(_ worker: WorkerOutput) {
        var taken = 0
        while taken < OutputDrain.drainAllBytes, case .bytes(let count, _) = takeTurn(worker) { taken += count }
    }

    /// Logs a line that has no end yet: its process is gone.
    func flush(_ worker: WorkerOutput) {
        begin(worker)
        var dropped = Dropped()
        worker.splitter.flush { take($0, $1, of: worker, dropped: &dropped) }
        log(worker, dropped)
    }

    private func takeTurn(_ worker: WorkerOutput) -> Turn {
        guard let fifo = worker.fifo.rawValue else { return .failed }
        do throws(SystemError) {
            guard case .done(let count) = try peek.peek(fifo, into: buffer) else { return .empty }
            // holdfastd has it open for writing, and so have we: both ends are in the descriptor that it sends.
            guard count > 0 else { throw SystemError(call: "tee", errno: SystemError.brokenPipe) }
            let taken = wholeLines(count)
            let dropped = logLines(worker, UnsafeRawBufferPointer(rebasing: buffer[..<taken]))
            try peek.consume(fifo, taken, scratch: buffer)
            return .bytes(taken, isOverLimit: dropped)
        } catch {
            unwatch(worker)
            onFailure(worker, error)
            return .failed
        }
    }

    /// How much of the buffer to take. When it is full there is more to come: then a line that it cuts stays in the FIFO,
    /// where it outlives this process, and so does a mark. Otherwise everything, or the loop would be woken for the same
    /// bytes again.
    private func wholeLines(_ count: Int) -> Int {
        guard count == buffer.count else { return count }
        if let lineBreak = buffer.lastIndex(of: UInt8(ascii: "\n")) { return lineBreak + 1 }
        return OutputMark.cutStart(in: UnsafeRawBufferPointer(buffer)).flatMap { $0 > 0 ? $0 : nil } ?? count
    }

    /// Logs what was read; a mark in it ends the line of the process before.
    /// - Returns: whether lines were dropped.
    private func logLines(_ worker: WorkerOutput, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        var isOverLimit = false
        while let (mark, range) = OutputMark.first(in: rest) {
            isOverLimit = logSegment(worker, UnsafeRawBufferPointer(rebasing: rest[..<range.lowerBound])) || isOverLimit
            rest = UnsafeRawBufferPointer(rebasing: rest[range.upperBound...])
            guard !worker.hasBegun(mark.instance) else { continue }
            flush(worker)
            worker.begin(mark.instance)
        }
        return logSegment(worker, rest) || isOverLimit
    }

    private func logSegment(_ worker: WorkerOutput, _ bytes: UnsafeRawBufferPointer) -> Bool {
        begin(worker)
        var dropped = Dropped()
        worker.splitter.append(bytes) { take($0, $1, of: worker, dropped: &dropped) }
        log(worker, dropped)
        return dropped.overRate.lines > 0 || dropped.telemetry.lines > 0
    }

    /// Of what one turn has read.
    private struct Dropped {
        var overRate = LossCount()
        var telemetry = LossCount()
    }

    private func begin(_ worker: WorkerOutput) {
        batch.removeAll()
        batch.worker = worker.name
        batch.pid = worker.pid
        batch.time = WallClock.microseconds()
    }

    /// The tail keeps every line but telemetry: the last words of a crashing flooder are worth more than its first.
    private func take(
        _ line: UnsafeRawBufferPointer, _ ending: LineSplitter.Ending, of worker: WorkerOutput,
        dropped: inout Dropped
    ) {
        switch worker.telemetry?.take(line, ending) {
        case .sent: return
        case .lost:
            dropped.telemetry += LossCount(lines: 1, bytes: line.count)
            return
        case .isNone, nil: break
        }
        worker.tail.append(line, ending: ending, time: batch.time, process: worker.process)
        if worker.limiter.admit(bytes: line.count, at: loop.now) {
            batch.append(line, ending)
        } else {
            dropped.overRate += LossCount(lines: 1, bytes: line.count)
        }
    }

    private func log(_ worker: WorkerOutput, _ dropped: Dropped) {
        if !batch.isEmpty {
            if let loss = sink.write(batch, at: loop.now) {
                worker.losses.add(loss.cause, loss.count, reason: loss.reason)
            }
            if !worker.followers.isEmpty { onLines(worker, batch) }
        }
        worker.losses.add(.rateLimit, dropped.overRate)
        worker.losses.add(.telemetry, dropped.telemetry)
        worker.skippedLines += worker.followers.isEmpty ? 0 : dropped.overRate.lines
        if !worker.losses.isEmpty { onLoss(worker) }
    }
}
