package import ControlProtocol
package import LinuxSystem
import MonotonicTime
import Spool
package import UplinkProtocol

/// Takes what workers send on their telemetry sockets into the spools. The order for each datagram is look, store, take: it
/// leaves the socket once its records are in a file. A process that is killed in between leaves it to the next one, which
/// stores it again, marked as a possible repeat; nothing is lost. One thread; blocks for the disk.
package final class Intake {
    private let loop: EventLoop
    private let deadman: DeadmanAlarm
    private let records: TelemetryRecord
    private let losses: IntakeLosses
    let events: IntakeQueue
    let readings: IntakeQueue
    private var workers: [String: IntakeWorker] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TelemetryLine.largestDatagram, alignment: 16)
    private var answers = SyncAnswers()
    private var syncTimer: TimerID?
    private var lastSync = MonotonicInstant(nanoseconds: 0)
    /// While the disk takes nothing.
    private var trouble: Trouble?

    private struct Trouble {
        var since: MonotonicInstant
        /// Whose first datagram is stored as soon as the disk takes it, and then has to go.
        var untaken: IntakeWorker?
        var retry: TimerID?
    }

    /// Called with what an operator should know of what was not taken in; seldom.
    package var onLoss: (String) -> Void = { _ in }

    /// Taken of one worker before the others have their turn.
    private static let datagramsPerTurn = 32
    /// How long a worker over its limit is left alone: dropping its datagrams as fast as it can send would cost a processor.
    private static let overLimitPause: Duration = .milliseconds(10)
    /// Between two syncs for those who wait for them.
    private static let syncDistance: Duration = .milliseconds(10)
    private static let retryPause: Duration = .seconds(1)
    /// How long workers may have to wait for a disk that takes nothing. After that what they send is dropped, and counted.
    private static let longestTrouble: Duration = .seconds(30)
    /// Taken of one worker at the end; who floods on has no claim to be heard to the end.
    private static let datagramsAtEnd = 4096

    /// - Parameters:
    ///   - bootID: as /proc/sys/kernel/random/boot_id has it.
    ///   - deadman: ends the process when it hangs in its work.
    package init(
        loop: EventLoop, events: QueueSpool, readings: QueueSpool, bootID: String,
        deadman: DeadmanAlarm = DeadmanAlarm(seconds: nil)
    ) {
        self.loop = loop
        self.deadman = deadman
        self.events = IntakeQueue(events)
        self.readings = IntakeQueue(readings)
        records = TelemetryRecord(bootID: bootID)
        losses = IntakeLosses(loop: loop)
        losses.report = { [weak self] in self?.tell($0, $1, $2) }
    }

    deinit {
        // The open files live on in holdfastd: closing our descriptors alone would leave them in the epoll set.
        for worker in workers.values { unwatch(worker) }
        if let syncTimer { loop.cancel(syncTimer) }
        if let retry = trouble?.retry { loop.cancel(retry) }
        buffer.deallocate()
    }

    // MARK: Workers

    /// Takes what comes on a socket from now on; replaces the one of the same worker.
    package func attach(_ socket: SharedDescriptor, of name: String, _ limits: TelemetryLimits) {
        if let worker = workers[name] {
            unwatch(worker)
            worker.replace(socket, limits)
        } else {
            workers[name] = IntakeWorker(name: name, socket: socket, limits, at: loop.now)
        }
        if let worker = workers[name] { watch(worker) }
    }

    /// Takes what is left in the worker's socket, and forgets it.
    package func forget(_ name: String) {
        guard let worker = workers.removeValue(forKey: name) else { return }
        if trouble == nil { deadman.during { drain(worker) } }
        unwatch(worker)
        losses.tellAll(of: name)
    }

    /// Takes what there is, tells what is not told, and makes everything safe: before this process ends.
    package func finish() {
        deadman.during {
            for worker in workers.values {
                // Where the disk takes nothing, it waits for the next process.
                if trouble == nil { drain(worker) }
                unwatch(worker)
            }
            losses.tellAll()
            syncAndAnswer()
        }
    }

    private func watch(_ worker: IntakeWorker) {
        guard worker.registration == nil, worker.resumption == nil, trouble == nil, let socket = worker.socket.rawValue
        else { return }
        do throws(SystemError) {
            worker.registration = try loop.register(socket, .readable, order: .last) { [weak self, weak worker] _ in
                guard let self, let worker else { return }
                deadman.during { self.takeTurn(worker) }
            }
        } catch {
            onLoss("the telemetry of \(worker.name) cannot be read: \(error)")
        }
    }

    private func unwatch(_ worker: IntakeWorker) {
        if let registration = worker.registration { loop.unregister(registration) }
        if let resumption = worker.resumption { loop.cancel(resumption) }
        worker.registration = nil
        worker.resumption = nil
    }

    private func pause(_ worker: IntakeWorker) {
        unwatch(worker)
        worker.resumption = loop.schedule(at: loop.now + Self.overLimitPause) { [weak self, weak worker] in
            worker?.resumption = nil
            if let self, let worker { watch(worker) }
        }
    }

    // MARK: Taking

    private enum Turn {
        case taken(isOverLimit: Bool)
        case empty
        /// It could not be read, or not be stored.
        case failed
    }

    private func takeTurn(_ worker: IntakeWorker) {
        for _ in 0..<Self.datagramsPerTurn {
            switch takeOne(worker) {
            case .taken(isOverLimit: false): continue
            case .taken(isOverLimit: true): return pause(worker)
            case .empty, .failed: return
            }
        }
    }

    private func drain(_ worker: IntakeWorker) {
        for _ in 0..<Self.datagramsAtEnd {
            guard case .taken = takeOne(worker) else { return }
        }
    }

    /// Stores one datagram, then takes it off the socket.
    private func takeOne(_ worker: IntakeWorker) -> Turn {
        guard let socket = worker.socket.rawValue else { return .failed }
        do throws(SystemError) {
            guard case .done(let message) = try SystemCall.peek(socket, into: buffer) else { return .empty }
            let batch = read(message, of: worker)
            guard store(batch, of: worker, answering: message.descriptors.first) else { return .failed }
            try SystemCall.discardMessage(socket)
            return .taken(isOverLimit: batch.isOverLimit)
        } catch {
            unwatch(worker)
            onLoss("the telemetry of \(worker.name) cannot be read: \(error)")
            return .failed
        }
    }

    /// What a datagram holds.
    private struct Batch {
        var readings: [TelemetryLine] = []
        var events: [TelemetryLine] = []
        var isOverLimit = false
        /// The first fault in it.
        var fault: TelemetryFault?
    }

    private func read(_ message: ReceivedMessage, of worker: IntakeWorker) -> Batch {
        var batch = Batch()
        func refuse(_ fault: TelemetryFault) {
            batch.fault = batch.fault ?? fault
            losses.add(fault, of: worker.name)
        }
        guard !message.isTruncated else {
            refuse(TelemetryFault(.tooLarge, "a datagram of more than \(TelemetryLine.largestDatagram) bytes"))
            return batch
        }
        for line in UnsafeRawBufferPointer(rebasing: buffer[..<message.count]).lines {
            guard worker.limiter.admit(at: loop.now) else {
                batch.isOverLimit = true
                refuse(TelemetryFault(.rate, "more than telemetry_rate, \(worker.limiter.rate) a second"))
                continue
            }
            do throws(TelemetryFault) {
                let line = try TelemetryLine(line)
                if case .event = line { batch.events.append(line) } else { batch.readings.append(line) }
            } catch {
                refuse(error)
            }
        }
        return batch
    }

    // MARK: Storing

    /// - Returns: whether the datagram may go.
    private func store(_ batch: Batch, of worker: IntakeWorker, answering pipe: SharedDescriptor?) -> Bool {
        var fault = batch.fault
        var failure: SpoolError?
        // Both, whatever becomes of the first: what is handed over once must not be again.
        for (lines, queue) in [(batch.events, events), (batch.readings, readings)] where !lines.isEmpty {
            do throws(SpoolError) {
                if let refusal = try store(lines, in: queue, of: worker) { fault = fault ?? refusal }
            } catch {
                failure = error
            }
        }
        if let failure {
            beginTrouble(failure, worker)
            return false
        }
        guard let pipe else { return true }
        if let fault {
            SyncAnswers.answer(pipe, "not taken in (\(fault.reason.rawValue)): \(fault.message)")
        } else if answers.isFull {
            SyncAnswers.answer(pipe, "too many wait for the disk already")
        } else {
            answers.add(pipe)
            syncSoon()
        }
        return true
    }

    /// - Returns: why some of it was refused, if so.
    private func store(
        _ lines: [TelemetryLine], in queue: IntakeQueue, of worker: IntakeWorker
    ) throws(SpoolError) -> TelemetryFault? {
        let moment = moment()
        let mayRepeat = queue.repeats.mayRepeat(lines, of: worker.name)
        let refused = try queue.append(
            lines.map { records.bytes($0, of: worker.name, at: moment, mayRepeat: mayRepeat) })
        guard refused > 0 else { return nil }
        let fault = TelemetryFault(.full, "the spool is full, and refuses more (when_full)")
        losses.add(fault, refused, of: worker.name)
        return fault
    }

    private func moment() -> TelemetryRecord.Moment {
        TelemetryRecord.Moment(wall: WallClock.microseconds() / 1000, loop.now)
    }

    /// Takes readings of the runtime itself, or of whoever is no worker with a socket.
    package func take(_ values: [(name: String, value: JSONValue)], of worker: String) {
        let moment = moment()
        let members = values.map { JSONObject.Member(key: $0.name, value: $0.value) }
        let lines = stride(from: 0, to: members.count, by: TelemetryLine.mostValues).map { start in
            TelemetryLine.reading(
                values: JSONObject(Array(members[start...].prefix(TelemetryLine.mostValues))), time: nil)
        }
        guard !lines.isEmpty else { return }
        let refused = try? readings.append(
            lines.map { records.bytes($0, of: worker, at: moment, mayRepeat: false) })
        if refused != 0 { losses.add(TelemetryFault(.full, "the spool takes no more"), lines.count, of: worker) }
    }

    // MARK: Trouble

    /// The disk takes nothing, and the spool holds the datagram in memory: it stays in the socket as well, until it is in a
    /// file.
    private func beginTrouble(_ error: SpoolError, _ worker: IntakeWorker) {
        for worker in workers.values { unwatch(worker) }
        if trouble == nil { onLoss("telemetry waits in its sockets: \(error)") }
        trouble = Trouble(since: trouble?.since ?? loop.now, untaken: worker)
        retryLater()
    }

    private func retryLater() {
        trouble?.retry = loop.schedule(at: loop.now + Self.retryPause) { [weak self] in
            guard let self else { return }
            deadman.during { self.retry() }
        }
    }

    private func retry() {
        guard let trouble else { return }
        do throws(SpoolError) {
            try readings.write()
            try events.write()
            self.trouble = nil
            if let socket = trouble.untaken?.socket.rawValue { _ = try? SystemCall.discardMessage(socket) }
            onLoss("telemetry is taken in again")
            for worker in workers.values { watch(worker) }
        } catch {
            // So that no worker waits for ever.
            if loop.now > trouble.since + Self.longestTrouble { dropWaiting(error) }
            retryLater()
        }
    }

    private func dropWaiting(_ error: SpoolError) {
        for worker in workers.values {
            guard let socket = worker.socket.rawValue else { continue }
            var dropped = 0
            while dropped < Self.datagramsAtEnd, case .done(let message)? = try? SystemCall.peek(socket, into: buffer),
                (try? SystemCall.discardMessage(socket)) != nil
            {
                dropped += 1
                if let pipe = message.descriptors.first { SyncAnswers.answer(pipe, "\(error)") }
            }
            // One of them is stored as soon as the disk takes it.
            if worker === trouble?.untaken { dropped -= 1 }
            losses.add(TelemetryFault(.full, "\(error)"), max(dropped, 0), of: worker.name)
        }
        trouble?.untaken = nil
    }

    // MARK: Syncing

    /// What comes within a moment is synced together.
    private func syncSoon() {
        guard syncTimer == nil else { return }
        syncTimer = loop.schedule(at: max(loop.now, lastSync + Self.syncDistance)) { [weak self] in
            guard let self else { return }
            syncTimer = nil
            deadman.during { self.syncAndAnswer() }
        }
    }

    private func syncAndAnswer() {
        do throws(SpoolError) {
            try events.spool.sync()
            try readings.spool.sync()
            answers.answerAll()
        } catch {
            answers.answerAll("it may not survive a power cut: \(error)")
        }
        loop.refreshNow()
        lastSync = loop.now
    }

    // MARK: Losses

    private func tell(_ worker: String, _ counts: [(reason: TelemetryFault.Reason, count: Int)], _ example: String) {
        let moment = moment()
        // Where this cannot be stored, the next one will tell less than was lost; the chronicle has it.
        _ = try? events.append(counts.map { records.loss($0.reason, $0.count, of: worker, at: moment) })
        let words = counts.map { "\($0.count) \($0.reason.rawValue)" }.joined(separator: ", ")
        onLoss("telemetry of \(worker) was not taken in: \(words) (\(example))")
    }
}

extension UnsafeRawBufferPointer {
    /// The parts between line breaks, without those of blanks only.
    fileprivate var lines: [UnsafeRawBufferPointer] {
        split(separator: UInt8(ascii: "\n")).lazy.map { UnsafeRawBufferPointer(rebasing: $0) }
            .filter { line in line.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d } }
    }
}
