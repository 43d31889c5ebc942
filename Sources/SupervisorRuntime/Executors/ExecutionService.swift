import ControlProtocol
import DeviceConfiguration
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// Commands that plugins carry out: who asked for which, what runs, what waits, and what has become of the last ones. Main thread
/// only; nothing here waits for anything.
final class ExecutionService {
    private let loop: EventLoop
    let launcher: ExecutorLauncher
    let catalogue = PluginCatalogue()
    private var queue = ExecutionQueue()
    private var records: [String: ExecutionRecord] = [:]
    /// The ids of those that have ended, the oldest first.
    private var ended: [(id: String, size: Int)] = []
    private var inspection: Execution?
    private var isStopping = false

    /// Makes control connections with what the plugin was granted.
    var openControl: (PluginSettings) -> [UnixStream] = { _ in [] }
    var openTelemetry: (PluginSettings) -> SharedDescriptor? = { _ in nil }
    /// Hands the uplink its end of a socket on which downloads are asked for.
    /// - Returns: whether there is an uplink.
    var offerDownloads: (UnixStream) -> Bool = { _ in false }
    /// Called with each line of a plugin.
    var onLog: (_ plugin: String, _ id: String, ExecutorReport.Level, String) -> Void = { _, _, _, _ in }
    var onEnded: (ExecutionCall, _ plugin: String, ExecutionEnd) -> Void = { _, _, _ in }

    /// Ends that are kept, for whoever asks again.
    private static let mostEnds = 128
    private static let mostEndBytes = 4 << 20
    private static let longestInspection: Duration = .seconds(10)

    init(loop: EventLoop, launcher: ExecutorLauncher) {
        self.loop = loop
        self.launcher = launcher
        catalogue.inspect = { [unowned self] in inspect($0, $1) }
    }

    /// Concerns commands that begin afterwards.
    func configure(_ configuration: Configuration, _ setup: ExecutorSetup?) {
        launcher.setup = setup
        catalogue.configure(configuration.plugins)
    }

    // MARK: Methods

    func execute(_ call: ExecutionCall, for connection: ControlConnection) {
        if let known = records[call.id] {
            guard known.call.kind == call.kind, known.call.payload == call.payload else {
                return refuse(connection, "another command has the id \(call.id) already")
            }
            return known.attach(connection)
        }
        guard !isStopping else {
            return connection.send(RuntimeError.unavailable(message: "the runtime is stopping").reply)
        }
        guard records.count - ended.count < ExecutionQueue.mostWaiting + ExecutionQueue.mostRunning else {
            return refuse(connection, "\(ExecutionQueue.mostWaiting) commands wait already; try again later")
        }
        connection.deferReply()
        let record = ExecutionRecord(call)
        records[call.id] = record
        catalogue.whenComplete { [weak self, weak connection] in
            guard let self else { return }
            submit(record, connection)
        }
    }

    private func submit(_ record: ExecutionRecord, _ connection: ControlConnection?) {
        guard let (entry, kind) = catalogue.entry(for: record.call.kind) else {
            records[record.call.id] = nil
            let objection = catalogue.objection(to: record.call.kind)
            record.tell(ExecutionEnd.failed(code: ExecutionEnd.Code.refused, message: objection).reply(plugin: ""))
            if let connection { refuse(connection, objection) }
            return
        }
        record.plugin = entry.settings.name
        record.latest.plugin = record.plugin
        // It hears first how the command stands then.
        defer { if let connection { record.attach(connection) } }
        if let cancellation = record.cancellation {
            return end(record, .failed(code: ExecutionEnd.Code.cancelled, message: cancellation))
        }
        perform(
            queue.handle(
                .submitted(
                    ExecutionQueue.Command(
                        id: record.call.id, plugin: record.plugin, isParallel: kind.isParallel,
                        most: entry.settings.parallel))))
    }

    func cancel(_ id: String, for connection: ControlConnection) {
        guard let record = records[id] else { return connection.send(RuntimeError.noSuchExecution(id: id).reply) }
        let reason = "cancelled by an operator"
        if let execution = record.execution {
            execution.cancel(reason)
        } else if !record.latest.isLast {
            record.cancellation = reason
            if queue.waiting.contains(where: { $0.id == id }) {
                end(record, .failed(code: ExecutionEnd.Code.cancelled, message: reason))
                perform(queue.handle(.withdrawn(id: id)))
            }
        }
        connection.send(VarlinkReply())
    }

    func list(for connection: ControlConnection) {
        connection.deferReply()
        catalogue.whenComplete(isFresh: true) { [weak self, weak connection] in
            guard let self, let connection else { return }
            let plugins = catalogue.reports(
                running: { [queue] in queue.running(of: $0) }, waiting: { [queue] in queue.waiting(of: $0) })
            connection.send(VarlinkReply(PluginsReply(plugins: plugins)))
        }
    }

    private func refuse(_ connection: ControlConnection, _ message: String) {
        connection.send(RuntimeError.executionRefused(message: message).reply)
    }

    // MARK: Running

    private func perform(_ actions: [ExecutionQueue.Action]) {
        for action in actions {
            switch action {
            case .start(let id): if let record = records[id] { start(record) }
            case .refuse(let id):
                guard let record = records[id] else { continue }
                end(record, .failed(code: ExecutionEnd.Code.refused, message: "too many commands wait already"))
            }
        }
    }

    /// There is a new uplink: commands that may ask for downloads get a way to it.
    func uplinkStarted() {
        for record in records.values { record.execution?.uplinkStarted() }
    }

    private func start(_ record: ExecutionRecord) {
        let call = record.call
        guard let entry = catalogue.entry(for: call.kind)?.entry, let setup = launcher.setup else {
            end(
                record,
                .failed(code: ExecutionEnd.Code.refused, message: catalogue.objection(to: call.kind)))
            return leave(call.id)
        }
        if let obstacle = setup.obstacle {
            end(record, .failed(code: ExecutionEnd.Code.executor, message: obstacle))
            return leave(call.id)
        }
        let settings = entry.settings
        let execution = Execution(
            ExecutorOrder(
                role: .command, plugin: settings.name, file: settings.file, sha256: settings.sha256,
                owner: SystemCall.effectiveUserID(), id: call.id, kind: call.kind,
                timeLimit: min(call.timeLimit ?? settings.timeLimit, settings.timeLimit),
                grants: Set(settings.grants.map(\.rawValue)), stateDirectory: setup.folder(of: settings.name),
                modelFolder: setup.modelFolder(for: settings), modelBudget: ExecutorSetup.modelBudget),
            payload: call.payload.map { JSONValue.object($0).text } ?? "null", plugin: settings, loop: loop,
            launcher: launcher)
        record.execution = execution
        record.plugin = settings.name
        execution.openControl = { [unowned self] in openControl(settings) }
        execution.openTelemetry = { [unowned self] in openTelemetry(settings) }
        execution.offerDownloads = { [unowned self] in offerDownloads($0) }
        connect(execution, record)
        record.tell(ExecutionReply(state: .running, plugin: settings.name))
        execution.start(setup)
    }

    private func connect(_ execution: Execution, _ record: ExecutionRecord) {
        let plugin = record.plugin
        execution.onProgress = { [weak record] percent, message in
            record?.tell(ExecutionReply(state: .running, plugin: plugin, percent: percent, message: message))
        }
        execution.onLog = { [weak self, weak record] level, line in
            guard let self, let record else { return }
            onLog(plugin, record.call.id, level, line)
            record.mention(ExecutionReply(state: .running, plugin: plugin, log: line))
        }
        execution.onEnd = { [weak self, weak record] in
            guard let self, let record else { return }
            end(record, $0)
        }
        execution.onGone = { [weak self, weak record] in
            guard let self, let record else { return }
            record.execution = nil
            leave(record.call.id)
        }
    }

    /// Its place in the queue is free. Not within the call that has freed it.
    private func leave(_ id: String) {
        loop.schedule(at: loop.now) { [weak self] in
            guard let self else { return }
            perform(queue.handle(.gone(id: id)))
        }
    }

    private func end(_ record: ExecutionRecord, _ end: ExecutionEnd) {
        guard !record.latest.isLast else { return }
        record.tell(end.reply(plugin: record.plugin))
        onEnded(record.call, record.plugin, end)
        ended.append((record.call.id, record.size))
        var bytes = ended.reduce(0) { $0 + $1.size }
        while ended.count > Self.mostEnds || bytes > Self.mostEndBytes {
            let oldest = ended.removeFirst()
            bytes -= oldest.size
            records[oldest.id] = nil
        }
    }

    // MARK: Looking at plugins

    private func inspect(_ settings: PluginSettings, _ done: @escaping (ExecutionEnd) -> Void) {
        func later(_ end: ExecutionEnd) { loop.schedule(at: loop.now) { done(end) } }
        guard !isStopping, let setup = launcher.setup else {
            return later(.failed(code: ExecutionEnd.Code.interrupted, message: "the runtime is stopping"))
        }
        if let obstacle = setup.obstacle {
            return later(.failed(code: ExecutionEnd.Code.executor, message: obstacle))
        }
        let execution = Execution(
            ExecutorOrder(
                role: .inspection, plugin: settings.name, file: settings.file, sha256: settings.sha256,
                owner: SystemCall.effectiveUserID(), timeLimit: Self.longestInspection),
            payload: "null", plugin: settings, loop: loop, launcher: launcher)
        inspection = execution
        var found: ExecutionEnd?
        execution.onEnd = { found = $0 }
        execution.onGone = { [weak self] in
            guard let self else { return }
            loop.schedule(at: loop.now) { [weak self] in
                self?.inspection = nil
                if let found { done(found) }
            }
        }
        execution.start(setup)
    }

    // MARK: Stopping

    /// The runtime goes on after all.
    func resume() {
        isStopping = false
    }

    /// Ends everything, and takes nothing more.
    func stop(because reason: String) {
        guard !isStopping else { return }
        isStopping = true
        let end = ExecutionEnd.failed(code: ExecutionEnd.Code.interrupted, message: reason)
        inspection?.abort(end)
        for record in Array(records.values) {
            if let execution = record.execution { execution.abort(end) } else { self.end(record, end) }
        }
    }
}
