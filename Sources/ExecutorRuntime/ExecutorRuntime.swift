import ControlProtocol
import ExecutorProtocol
package import LinuxSystem
import PluginSession
import SystemProcess

/// The process `holdfast-executor`: one command of one plugin. It makes sure that the plugin's file is the granted one, has
/// holdfastd start a plugin host for it, and stands between the two: what the plugin asks for is checked here. Nothing of a
/// plugin is ever loaded here.
package final class ExecutorRuntime {
    /// Reports that may wait for holdfastd to read.
    private static let longestQueue = 2048
    private static let packetsPerTurn = 64
    /// Of what a plugin logs; more is counted.
    private static let logLinesPerSecond = 100
    private static let longestLine = 1024

    private let loop: EventLoop
    private let channel: SupervisorChannel<ExecutorRequest, ExecutorReport>
    private let deadman: DeadmanAlarm
    private var order: ExecutorOrder?
    private var payload = ""
    private var library: SharedDescriptor?
    private var requests: HostRequests?
    private var printed: PrintedLines?
    private var work: Work?
    private var keeper: DeploymentKeeper?
    private var hasEnded = false

    private enum Work {
        case command(PluginSession)
        case inspection(PluginInspection)
    }

    package var onWarning: (String) -> Void = { _ in }

    package init(
        loop: EventLoop, channel: UnixStream, deadman: DeadmanAlarm = DeadmanAlarm(seconds: nil)
    ) {
        self.loop = loop
        self.deadman = deadman
        self.channel = SupervisorChannel(
            loop: loop, socket: channel, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn)
        self.channel.onRequest = { [weak self] request, descriptor in
            guard let self else { return }
            deadman.during { self.handle(request, descriptor) }
        }
        self.channel.onMalformed = { [weak self] in self?.onWarning($0) }
        // Nobody is there any more to do it for, or the end was heard.
        self.channel.onClosed = { [weak self] in self?.loop.stop() }
    }

    package func start() throws(SystemError) { try channel.start() }

    package func finish() {
        // What is under way is on disk, and goes on with the next.
        guard keeper == nil else { return loop.stop() }
        end(code: PluginFailure.Code.cancelled.rawValue, "holdfast-executor was told to end")
    }

    // MARK: Requests

    private func handle(_ request: ExecutorRequest, _ descriptor: SharedDescriptor?) {
        guard !hasEnded else { return }
        if let keeper { return keeper.handle(request, descriptor) }
        switch request {
        case .execute(let order):
            self.order = order
            requests = HostRequests(grants: order.grants)
            openModels(order)
        case .control: connectRuntime(descriptor)
        case .telemetry: requests?.telemetry = descriptor
        case .payload(let part, let isLast):
            payload += part
            if isLast { begin() }
        case .host: startWork(descriptor)
        case .output: read(descriptor)
        case .hostEnded(let end): hostEnded(end)
        case .cancel(let reason): cancel(reason)
        case .keepDeployments(let settings): keepDeployments(settings)
        case .downloads: connectDownloads(descriptor)
        case .deploy, .cancelDeployment, .stepEnded, .crashLooped: break
        case .unknown(let type): onWarning("holdfastd sent the unknown message \(type); both must be of one version")
        }
    }

    private func openModels(_ order: ExecutorOrder) {
        guard let folder = order.modelFolder, !order.grants.isDisjoint(with: ModelRequests.grants) else { return }
        do throws(SystemError) {
            let models = try ModelRequests(
                loop: loop, folder: folder, budget: order.modelBudget, timeLimit: order.timeLimit)
            models.onProgress = { [weak self] in self?.channel.send(.progress(percent: $0, message: $1)) }
            requests?.models = models
        } catch {
            onWarning("models cannot be worked with: \(error)")
        }
    }

    private func connectDownloads(_ descriptor: SharedDescriptor?) {
        do throws(SystemError) {
            try requests?.models?.downloads.connect(descriptor)
        } catch {
            onWarning("the uplink cannot be spoken with: \(error)")
        }
    }

    private func keepDeployments(_ settings: DeploymentSettings) {
        do throws(SystemError) {
            let keeper = try DeploymentKeeper(settings, loop: loop)
            keeper.onReport = { [weak self] in self?.channel.send($0) }
            keeper.onWarning = { [weak self] in self?.onWarning($0) }
            keeper.start()
            self.keeper = keeper
        } catch {
            // holdfastd starts another one.
            onWarning("\(error)")
            loop.stop()
        }
    }

    private func connectRuntime(_ descriptor: SharedDescriptor?) {
        guard let socket = descriptor?.take(), let requests, let order,
            let questions = try? RuntimeQuestions(loop: loop, socket: socket)
        else { return }
        guard requests.runtime != nil else {
            requests.runtime = questions
            return
        }
        let deployments = DeploymentRequests(questions, command: order.id)
        deployments.onProgress = { [weak self] in self?.channel.send(.progress(percent: $0, message: $1)) }
        requests.deployments = deployments
    }

    /// Looks at the file; only what was granted goes on.
    private func begin() {
        guard let order, library == nil else { return }
        do throws(PluginFile.Refusal) {
            library = try PluginFile(order).library
            channel.send(.startHost)
        } catch {
            end(code: "refused", error.message)
        }
    }

    private func startWork(_ descriptor: SharedDescriptor?) {
        guard let order, let library, work == nil, let socket = descriptor?.take() else { return }
        do throws(SystemError) {
            try SystemCall.setNonBlocking(socket.rawValue)
            let stream = UnixStream(owning: socket)
            switch order.role {
            case .command: try startCommand(order, stream, library)
            case .inspection: try startInspection(stream, library, order)
            }
        } catch {
            end(code: "executor", "the plugin host cannot be spoken with: \(error)")
        }
    }

    private func startCommand(
        _ order: ExecutorOrder, _ socket: UnixStream, _ library: SharedDescriptor
    ) throws(SystemError) {
        let session = PluginSession(
            loop: loop, socket: socket, library: library,
            order: PluginSession.Order(
                id: order.id, kind: order.kind, payload: Array(payload.utf8), timeLimit: order.timeLimit,
                stateDirectory: order.stateDirectory,
                limits: PluginLimits(logLinesPerSecond: Self.logLinesPerSecond)))
        session.onLog = { [weak self] level, line in self?.log(ExecutorReport.Level(level), line) }
        session.onProgress = { [weak self] percent, words in
            self?.channel.send(.progress(percent: percent, message: words))
        }
        session.onRequest = { [weak self] request, answer in
            guard let requests = self?.requests else { return }
            requests.answer(request, answer)
        }
        session.onEnd = { [weak self] in self?.commandEnded($0) }
        work = .command(session)
        try session.start()
    }

    private func startInspection(
        _ socket: UnixStream, _ library: SharedDescriptor, _ order: ExecutorOrder
    ) throws(SystemError) {
        let inspection = PluginInspection(loop: loop, socket: socket, library: library, timeLimit: order.timeLimit)
        inspection.onEnd = { [weak self] in self?.inspectionEnded($0) }
        work = .inspection(inspection)
        try inspection.start()
    }

    private func read(_ descriptor: SharedDescriptor?) {
        guard let descriptor else { return }
        let lines = PrintedLines(loop: loop, pipe: descriptor)
        lines.onLine = { [weak self] in self?.log(.output, $0) }
        printed = lines
        do throws(SystemError) {
            try lines.start()
        } catch {
            onWarning("what the plugin prints cannot be read: \(error)")
        }
    }

    private func log(_ level: ExecutorReport.Level, _ line: String) {
        channel.send(.log(level: level, line: line.utf8.count > Self.longestLine ? Self.cut(line) : line))
    }

    private static func cut(_ line: String) -> String {
        String(decoding: line.utf8.prefix(longestLine), as: UTF8.self) + "..."
    }

    private func hostEnded(_ end: HostEnd) {
        let exit: ProcessExit
        switch end.status {
        case .notStarted(let message): return self.end(code: PluginFailure.Code.host.rawValue, message)
        case .exited(let code): exit = .exited(code: Int32(clamping: code))
        case .signaled(let signal): exit = .signaled(signal: Int32(clamping: signal), coreDumped: false)
        case .unknown: exit = .unknown
        }
        switch work {
        case .command(let session): session.hostEnded(exit, memoryExceeded: end.isOutOfMemory)
        case .inspection(let inspection): inspection.hostEnded(exit)
        case nil: break
        }
    }

    private func cancel(_ reason: String) {
        if case .command(let session) = work { return session.cancel(reason) }
        end(code: PluginFailure.Code.cancelled.rawValue, reason)
    }

    // MARK: The end

    private func commandEnded(_ end: PluginSession.End) {
        switch end {
        case .succeeded(let result): succeed(result)
        case .failed(let failure): self.end(code: failure.code.rawValue, failure.message)
        }
    }

    private func inspectionEnded(_ report: PluginInspection.Report) {
        if let fault = report.faults.first {
            let others = report.faults.count - 1
            let more = others > 0 ? " (and \(others) more: holdfast plugin check)" : ""
            return end(code: fault.code.rawValue, fault.message + more)
        }
        let kinds = report.kinds.map { kind in
            PluginKind(
                name: kind.name, summary: kind.summary, isParallel: kind.isParallel, isRepeatable: kind.isRepeatable,
                isCancellable: kind.isCancellable)
        }
        succeed(
            PluginDescription(
                name: report.name ?? "", version: report.version ?? "", summary: report.summary, kinds: kinds,
                grants: report.grants
            ).json)
    }

    private func succeed(_ result: JSONValue) {
        guard !hasEnded else { return }
        printed?.finish()
        for (part, isLast) in PacketParts(result.text) { channel.send(.result(part: part, isLast: isLast)) }
        end(code: nil, nil)
    }

    /// The last word. holdfastd closes the channel when it has heard it, and ends the plugin host.
    private func end(code: String?, _ message: String?) {
        guard !hasEnded else { return }
        hasEnded = true
        printed?.finish()
        if let requests { requests.deployments?.callOff(by: requests.runtime) }
        guard let models = requests?.models else { return channel.send(.ended(code: code, message: message)) }
        models.finish { [weak self] in self?.channel.send(.ended(code: code, message: message)) }
    }
}

extension ExecutorReport.Level {
    init(_ level: PluginLogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}
