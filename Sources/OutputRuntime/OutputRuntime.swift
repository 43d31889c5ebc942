import ControlProtocol
package import LinuxSystem
import MonotonicTime
import SystemProcess

/// The process `holdfast-output`: drains the workers' output into the journal or into files, keeps the tail of each for
/// incidents, and answers `holdfast logs`. One thread, one event loop; docs/output.md says what it promises.
package final class OutputRuntime {
    /// Reports that may wait for holdfastd to read.
    private static let longestQueue = 256
    /// The FIFOs have their turn in between.
    private static let packetsPerTurn = 32

    private let loop: EventLoop
    private let channel: SupervisorChannel<SupervisorRequest, SupervisorReport>
    private let notifier: ServiceNotifier
    private let drain: OutputDrain
    private let reporter: LossReporter
    private let logs: LogService
    private let deadman: DeadmanAlarm
    private let openJournal: (_ isRequired: Bool) -> (journal: (any JournalWriter)?, problem: String?)
    private var workers: [String: WorkerOutput] = [:]
    /// Of workers whose FIFO has not come yet.
    private var telemetrySockets: [String: SharedDescriptor] = [:]
    private var settings: LogSettings?
    /// The newest event since the last confirmation.
    private var lastEvent: Int?

    /// Called with what an operator should know and the log may not tell.
    package var onWarning: (String) -> Void = { _ in }

    /// Called when the log directory was removed: only holdfastd can make it anew.
    package var onDirectoryGone: () -> Void = {}

    /// Whether everything is drained and the process may end.
    package private(set) var isFinished = false

    /// - Parameters:
    ///   - channel: the socket to holdfastd.
    ///   - environment: how to tell holdfastd that this process is ready and alive.
    ///   - deadman: ends the process when it hangs in its work.
    package convenience init(
        loop: EventLoop, channel: UnixStream, environment: ServiceEnvironment, deadman: DeadmanAlarm
    ) throws(SystemError) {
        try self.init(loop: loop, channel: channel, environment: environment, deadman: deadman) { isRequired in
            guard SystemJournal.isPresent else {
                return (nil, isRequired ? "there is no journal at /run/systemd/journal/socket" : nil)
            }
            return SystemJournal.open()
        }
    }

    init(
        loop: EventLoop, channel: UnixStream, environment: ServiceEnvironment,
        deadman: DeadmanAlarm = DeadmanAlarm(seconds: nil),
        openJournal: @escaping (_ isRequired: Bool) -> (journal: (any JournalWriter)?, problem: String?)
    ) throws(SystemError) {
        self.loop = loop
        self.channel = SupervisorChannel(
            loop: loop, socket: channel, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn,
            decode: { json throws(JSONError) in try SupervisorRequest(json: json) }, encode: \.packet)
        self.openJournal = openJournal
        notifier = try ServiceNotifier(loop: loop, environment: environment)
        self.deadman = deadman
        drain = try OutputDrain(loop: loop, deadman: deadman)
        reporter = LossReporter(loop: loop)
        logs = LogService(loop: loop)
        connectParts()
    }

    deinit {
        // The open files live on in holdfastd: closing our descriptors alone would leave them in the epoll set.
        for worker in workers.values { drain.unwatch(worker) }
    }

    /// Begins to listen to holdfastd.
    package func start() throws(SystemError) {
        try channel.start()
    }

    /// Drains what is readable, reports, and ends. Called when holdfastd has gone, and on SIGTERM.
    package func finish() {
        guard !isFinished else { return }
        isFinished = true
        notifier.send(["STOPPING=1"])
        deadman.during { drainEverything() }
        reporter.reportAll()
        loop.stop()
    }

    private func drainEverything() {
        for worker in workers.values {
            drain.drainAll(worker)
            drain.flush(worker)
            drain.unwatch(worker)
            logs.end(followersOf: worker)
        }
    }

    private func connectParts() {
        channel.onRequest = { [weak self] request, descriptor in
            guard let self else { return }
            deadman.during { handle(request, descriptor) }
        }
        channel.onTurnEnded = { [weak self] in self?.confirmEvents() }
        channel.onMalformed = { [weak self] in self?.warn($0) }
        channel.onClosed = { [weak self] in self?.finish() }
        drain.onLoss = { [weak self] in self?.reporter.note($0) }
        drain.onLines = { [weak self] in self?.logs.publish($0, $1) }
        drain.onFailure = { [weak self] worker, error in
            self?.warn("the output of \(worker.name) cannot be read: \(error)")
        }
        reporter.report = { [weak self] in self?.report($0, $1) }
        logs.onDropped = { [weak self] worker, total in
            self?.warn("a reader of the log of \(worker) was dropped because it does not read (\(total) so far)")
        }
    }

    /// Connections on which `Logs` is being answered.
    var logReaders: Int { logs.clientCount }

    // MARK: Requests

    private func handle(_ request: SupervisorRequest, _ descriptor: SharedDescriptor?) {
        switch request {
        case .configure(let settings): configure(settings, descriptor)
        case .add(let name, let limits): add(name, limits, descriptor)
        case .remove(let name): remove(name)
        case .started(let name, let pid, let instance): start(name, pid, instance)
        case .tail(let id, let name, let instance, let lines, let bytes):
            let last = tail(of: name, instance, lines, bytes)
            channel.send(.tail(id: id, lines: last.map { LineText.text($0.bytes, $0.ending) }))
        case .telemetry(let name, let isOn): takeTelemetry(from: name, to: isOn ? descriptor : nil)
        case .event(let event): log(event)
        case .logs(let name, let lines, let follow, let more):
            guard let descriptor else { return warn("holdfastd asked for logs without a connection") }
            guard let worker = workers[name] else { return logs.refuse(descriptor, .noSuchWorker(name: name)) }
            logs.serve(descriptor, worker, lines: lines, follow: follow, more: more)
        case .unknown(let type): warn("holdfastd sent the unknown message \(type); both must be of one version")
        }
    }

    private func configure(_ settings: LogSettings, _ directory: SharedDescriptor?) {
        let isFirst = self.settings == nil
        guard settings != self.settings else { return }
        self.settings = settings
        drain.sink = makeSink(settings, directory)
        for worker in workers.values { drain.sink.prepare(worker.name, worker.limits) }
        guard isFirst else { return }
        channel.send(.ready)
        notifier.start()
    }

    private func makeSink(_ settings: LogSettings, _ descriptor: SharedDescriptor?) -> any LogSink {
        if settings.journal != .off {
            let (journal, problem) = openJournal(settings.journal == .on)
            if let journal { return JournalSink(journal, runtime: settings.runtime) }
            if let problem { warn("logs go to files instead of the journal: \(problem)") }
        }
        if let path = settings.logDirectory {
            return FileSink(LogDirectory(path, descriptor: descriptor)) { [weak self] in
                self?.warn("the log directory \(path) was removed: starting again, for a new one")
                self?.onDirectoryGone()
            }
        }
        warn("logs are kept nowhere: there is neither a journal nor a log directory")
        return NoSink()
    }

    /// Comes before the worker, whose first line may be telemetry.
    private func takeTelemetry(from name: String, to socket: SharedDescriptor?) {
        if let worker = workers[name] { return worker.takeTelemetry(to: socket) }
        telemetrySockets[name] = socket
    }

    private func add(_ name: String, _ limits: OutputLimits, _ fifo: SharedDescriptor?) {
        guard let fifo, let number = fifo.rawValue, (try? SystemCall.status(number))?.kind == .fifo else {
            return warn("holdfastd sent no FIFO for the output of \(name)")
        }
        guard WorkerOutput.isValid(name: name) else { return warn("\(name) cannot be the name of a log") }
        // Belongs to the open file, which is holdfastd's too: it never reads without expecting this.
        try? SystemCall.setNonBlocking(number)
        if let worker = workers[name] {
            drain.drainAll(worker)
            drain.unwatch(worker)
            worker.replace(fifo: fifo, limits: limits, at: loop.now)
        } else {
            workers[name] = WorkerOutput(name: name, fifo: fifo, limits: limits, at: loop.now)
        }
        guard let worker = workers[name] else { return }
        if let socket = telemetrySockets.removeValue(forKey: name) { worker.takeTelemetry(to: socket) }
        drain.sink.prepare(name, limits)
        drain.watch(worker)
    }

    private func remove(_ name: String) {
        telemetrySockets[name] = nil
        guard let worker = workers.removeValue(forKey: name) else { return }
        drain.drainAll(worker)
        drain.flush(worker)
        drain.unwatch(worker)
        logs.end(followersOf: worker)
        drain.sink.close(name)
    }

    private func start(_ name: String, _ pid: Int, _ instance: UInt64) {
        guard let worker = workers[name] else { return }
        drain.drainAll(worker)
        // holdfastd's mark has told already where it begins, unless the FIFO was full.
        if !worker.hasBegun(instance) {
            drain.flush(worker)
            worker.begin(instance)
        }
        // By now it may be another one's output that is read.
        if worker.instance == instance { worker.pid = pid }
        // Unless it is watched already; where it could not be read, each new process is another try.
        drain.watch(worker)
    }

    private func tail(of name: String, _ instance: UInt64, _ lines: Int, _ bytes: Int) -> [TailRing.Line] {
        guard let worker = workers[name] else { return [] }
        drain.drainAll(worker)
        // A line without an end will get none, unless it is the next process's already.
        if worker.processes(of: instance).contains(worker.process) { drain.flush(worker) }
        return worker.tail.last(lines: lines, maximumBytes: bytes, of: worker.processes(of: instance))
    }

    // MARK: Reports

    private func log(_ event: EventReport) {
        // An event that cannot be kept is not lost: holdfastd has it in its ring, and counts for nothing here.
        _ = drain.sink.write(event, at: loop.now)
        lastEvent = event.sequence
    }

    /// Tells holdfastd which events it need not repeat to the next process.
    private func confirmEvents() {
        guard let lastEvent else { return }
        self.lastEvent = nil
        channel.send(.logged(event: lastEvent))
    }

    private func report(_ worker: WorkerOutput, _ loss: LossReport) {
        drain.sink.markGap(worker.name, loss, time: WallClock.microseconds(), at: loop.now)
        for share in loss.shares { channel.send(.lost(worker: worker.name, share)) }
    }

    private func warn(_ message: String) {
        channel.send(.warning(message))
        onWarning(message)
    }
}
