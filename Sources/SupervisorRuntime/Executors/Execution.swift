import ControlProtocol
import DeviceConfiguration
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// One order at work: its executor, and the plugin host that the executor asks for. Whatever becomes of the two, `onEnd` is
/// called once, and `onGone` once after that, when neither is there any more.
final class Execution {
    let order: ExecutorOrder
    private let plugin: PluginSettings
    private let payload: String
    private let loop: EventLoop
    private let launcher: ExecutorLauncher
    private let channel: SystemChannel
    private let mark: String
    private var executor: TransientProcess?
    private var host: TransientProcess?
    private var hasStartedHost = false
    private var timer: TimerID?
    private var result = ""
    private var isResultTooLong = false
    private var end: ExecutionEnd?
    private var isGone = false

    /// Makes the control connections for the executor, if the plugin was granted any of it.
    var openControl: () -> [UnixStream] = { [] }
    /// Makes a socket that takes the plugin's telemetry, if anybody takes it.
    var openTelemetry: () -> SharedDescriptor? = { nil }
    /// Hands the uplink its end of a socket on which downloads are asked for.
    var offerDownloads: (UnixStream) -> Bool = { _ in false }
    var onProgress: (_ percent: Int?, _ message: String) -> Void = { _, _ in }
    var onLog: (ExecutorReport.Level, String) -> Void = { _, _ in }
    var onEnd: (ExecutionEnd) -> Void = { _ in }
    var onGone: () -> Void = {}

    /// The executor keeps the time limit, and gives the plugin a few seconds to stop. Should it hang itself, it is ended then.
    private static let slack: Duration = .seconds(10)
    /// How long an executor may take to end once its order is done.
    private static let longestGoodbye: Duration = .seconds(2)
    /// As text; what a plugin may set, and what JSON makes of it.
    private static let longestResult = 512 * 1024

    init(
        _ order: ExecutorOrder, payload: String, plugin: PluginSettings, loop: EventLoop, launcher: ExecutorLauncher
    ) {
        self.order = order
        self.payload = payload
        self.plugin = plugin
        self.loop = loop
        self.launcher = launcher
        mark = launcher.nextMark()
        channel = SystemChannel(loop: loop, gatheringTime: .zero)
        channel.onPacket = { [weak self] in self?.take($0) }
        channel.onHangUp = { [weak self] in self?.executorHungUp() }
    }

    /// Begins. May call `onEnd` and `onGone` before it returns.
    func start(_ setup: ExecutorSetup) {
        do throws(SystemError) {
            let theirs = try channel.open()
            executor = try launcher.startExecutor(for: plugin, setup, mark: mark, channel: theirs) { [weak self] in
                self?.executorEnded($0)
            }
        } catch {
            channel.close()
            finish(
                .failed(
                    code: ExecutionEnd.Code.executor, message: "\(ExecutorSetup.executor) cannot be started: \(error)"))
            return leaveIfGone()
        }
        timer = loop.schedule(at: loop.now + order.timeLimit + Self.slack) { [weak self] in self?.timeIsOver() }
        send(.execute(order))
        for control in openControl() {
            guard let duplicate = try? SystemCall.duplicate(control.rawValue) else { continue }
            send(.control, SharedDescriptor(duplicate))
        }
        if let telemetry = openTelemetry() { send(.telemetry, telemetry) }
        handOverDownloads()
        for (part, isLast) in PacketParts(payload) { send(.payload(part: part, isLast: isLast)) }
        channel.flush()
        startHost = { [weak self] in self?.startHost(setup) }
    }

    /// There is a new uplink.
    func uplinkStarted() {
        guard end == nil, executor != nil else { return }
        handOverDownloads()
        channel.flush()
    }

    private func handOverDownloads() {
        guard !plugin.grants.isDisjoint(with: [.artifact, .model]), order.role == .command,
            let (theirs, uplinks) = try? UnixStream.makePacketPair(), offerDownloads(uplinks),
            let duplicate = try? SystemCall.duplicate(theirs.rawValue)
        else { return }
        send(.downloads, SharedDescriptor(duplicate))
    }

    /// Has the plugin told that it is to stop.
    func cancel(_ reason: String) {
        guard end == nil else { return }
        send(.cancel(reason: reason))
        channel.flush()
        // Should the executor not manage it.
        reschedule(after: Self.slack)
    }

    /// Ends it now, whatever it does.
    func abort(_ end: ExecutionEnd) {
        finish(end)
        executor?.kill()
    }

    // MARK: Executor

    private var startHost: () -> Void = {}

    private func send(_ request: ExecutorRequest, _ descriptor: SharedDescriptor? = nil) {
        channel.send(request.json.serialised(), descriptor)
    }

    private func take(_ packet: [UInt8]) {
        guard end == nil, let json = try? JSONValue.parse(packet), let report = try? ExecutorReport(json: json) else {
            return
        }
        switch report {
        case .startHost: startHost()
        case .progress(let percent, let message): onProgress(percent, message)
        case .log(let level, let line): onLog(level, line)
        case .result(let part, _):
            isResultTooLong = isResultTooLong || result.utf8.count + part.utf8.count > Self.longestResult
            if !isResultTooLong { result += part }
        case .ended(let code?, let message): finish(.failed(code: code, message: message ?? "it has failed"))
        case .ended(nil, _): finish(succeeded())
        // Those of another kind of executor.
        case .deployment, .bundle, .ready, .apply, .selfTest, .abandonStep, .idle, .unknown: break
        }
    }

    private func succeeded() -> ExecutionEnd {
        guard !isResultTooLong else {
            return .failed(code: "result-too-long", message: "its result is longer than \(Self.longestResult) bytes")
        }
        guard let json = try? JSONValue.parse(Array(result.utf8), limits: .reply) else {
            return .failed(code: "bad-result", message: "its result is no JSON")
        }
        return .succeeded(json)
    }

    /// It has closed its end, and is about to go.
    private func executorHungUp() {
        channel.close()
        if executor == nil { return }
        reschedule(after: Self.longestGoodbye)
    }

    private func executorEnded(_ process: TransientProcess.End) {
        // Its last words.
        channel.close()
        executor = nil
        finish(.failed(code: ExecutionEnd.Code.executor, message: Self.words(of: process)))
        leaveIfGone()
    }

    private static func words(of process: TransientProcess.End) -> String {
        let name = ExecutorSetup.executor
        if let failure = process.failure { return "\(name) cannot be started: \(Wording.sentence(failure))" }
        let end = "\(name) \(Wording.sentence(process.exit))"
        guard case .exited = process.exit else { return end }
        return "\(end) and without a word; see its lines in the runtime's log"
    }

    private func timeIsOver() {
        timer = nil
        finish(.failed(code: "hung", message: "\(ExecutorSetup.executor) did not end it in time, and was ended itself"))
        executor?.kill()
    }

    // MARK: Plugin host

    private func startHost(_ setup: ExecutorSetup) {
        // One for each order.
        guard !hasStartedHost else { return }
        hasStartedHost = true
        do throws(SystemError) {
            let (ours, theirs) = try UnixStream.makePacketPair()
            let (output, printing) = try SystemCall.makePipe(nonBlocking: false).shared()
            host = try launcher.startHost(
                for: plugin, setup, mark: mark, socket: theirs, output: printing.rawValue ?? -1
            ) { [weak self] in self?.hostEnded($0) }
            printing.close()
            send(.host, SharedDescriptor(try SystemCall.duplicate(ours.rawValue)))
            send(.output, output)
        } catch {
            hostNotStarted("\(error)")
        }
        channel.flush()
    }

    private func hostNotStarted(_ reason: String) {
        send(.hostEnded(HostEnd(.notStarted("\(ExecutorSetup.host) cannot be started: \(reason)"))))
    }

    private func hostEnded(_ process: TransientProcess.End) {
        host = nil
        if let failure = process.failure {
            hostNotStarted(Wording.sentence(failure))
        } else {
            let status: HostEnd.Status =
                switch process.exit {
                case .exited(let code): .exited(Int(code))
                case .signaled(let signal, _): .signaled(Int(signal))
                case .unknown: .unknown
                }
            send(.hostEnded(HostEnd(status, isOutOfMemory: process.isOutOfMemory)))
        }
        channel.flush()
        leaveIfGone()
    }

    // MARK: The end

    private func finish(_ end: ExecutionEnd) {
        guard self.end == nil else { return }
        self.end = end
        result = ""
        host?.kill()
        onEnd(end)
        // It sees that nobody listens any more, and goes.
        if executor != nil {
            channel.close()
            reschedule(after: Self.longestGoodbye)
        }
    }

    private func reschedule(after delay: Duration) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: loop.now + delay) { [weak self] in self?.timeIsOver() }
    }

    private func leaveIfGone() {
        guard executor == nil, host == nil, !isGone else { return }
        isGone = true
        if let timer { loop.cancel(timer) }
        timer = nil
        // Not within the call of the one that has ended.
        onGone()
    }
}
