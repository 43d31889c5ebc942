import CPluginABI
import CPluginFrames
package import ControlProtocol
package import LinuxSystem
import MonotonicTime

/// One command in a plugin: the conversation with the plugin host that executes it. Single-threaded, on the event loop.
///
/// Whoever owns the host's process starts it with the other end of the socket as descriptor 3, calls `start`, and says how
/// the process ended with `hostEnded`. After `onEnd` the owner kills what is left of the process's group: a host that was told
/// to stop and did not, or what the plugin has forked.
///
/// Whatever the host says may be the plugin's invention, which lives in the same process: it is bounded, checked, and
/// believed as far as a plugin is.
package final class PluginSession {
    /// The command.
    package struct Order {
        package var id: String
        package var kind: String
        /// JSON text of at most `PluginLimits.longestPayload` bytes.
        package var payload: [UInt8]
        /// From `start` on.
        package var timeLimit: Duration
        /// The absolute path of the plugin's private directory, as the host's process sees it.
        package var stateDirectory: String?
        package var limits: PluginLimits

        package init(
            id: String, kind: String, payload: [UInt8], timeLimit: Duration, stateDirectory: String? = nil,
            limits: PluginLimits = PluginLimits()
        ) {
            self.id = id
            self.kind = kind
            self.payload = payload
            self.timeLimit = timeLimit
            self.stateDirectory = stateDirectory
            self.limits = limits
        }
    }

    package enum End: Equatable, Sendable {
        case succeeded(result: JSONValue)
        case failed(PluginFailure)
    }

    let loop: EventLoop
    let order: Order
    private let socket: HostSocket
    private let library: SharedDescriptor
    var lines: LogWindow
    var progress = ProgressWindow()
    var progressTimer: TimerID?
    var result: [UInt8] = []
    var reason: String?
    var stage = Stage.starting
    var stop: Stop?
    private var openRequests: Set<Int32> = []
    private var timer: TimerID?
    private var hasEnded = false

    /// Called with each line of the plugin's log, without line breaks.
    package var onLog: (PluginLogLevel, String) -> Void = { _, _ in }
    /// Called with how far it has come: 0 to 100, or `nil`.
    package var onProgress: (_ percent: Int?, _ words: String) -> Void = { _, _ in }
    /// Called with each request; `answer` is to be called once, now or later.
    package var onRequest: (PluginRequest, _ answer: @escaping (Result<PluginAnswer, PluginRefusal>) -> Void) -> Void =
        { request, answer in answer(.failure(PluginRefusal(.unsupported, "\(request.name) is not offered here"))) }
    /// Called exactly once after `start`, and nothing else after it.
    package var onEnd: (End) -> Void = { _ in }

    /// - Parameters:
    ///   - socket: ours of a pair of packet sockets.
    ///   - library: the plugin, sealed (`SystemCall.sealedCopy`); it is sent to the host.
    package init(loop: EventLoop, socket: UnixStream, library: SharedDescriptor, order: Order) {
        self.loop = loop
        self.socket = HostSocket(loop: loop, socket: socket)
        self.library = library
        self.order = order
        lines = LogWindow(linesPerSecond: order.limits.logLinesPerSecond)
    }

    deinit {
        if let timer { loop.cancel(timer) }
        if let progressTimer { loop.cancel(progressTimer) }
    }

    /// Sends the order. When it throws, nothing was begun and `onEnd` is not called.
    package func start() throws(SystemError) {
        socket.onFrame = { [weak self] in self?.handle($0) }
        socket.onNonsense = { [weak self] in self?.garbled() }
        socket.onClosed = { [weak self] in self?.socketClosed() }
        try socket.start()
        schedule(after: order.timeLimit) { [weak self] in self?.timeIsOver() }
        var rest = order.payload[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int(HF_FRAME_BODY_MAX))
            socket.send(PluginFrame(HF_FRAME_PAYLOAD, rest: part))
            rest = rest[part.endIndex...]
        }
        let texts = [order.id, order.kind, order.stateDirectory ?? "", String(order.limits.longestResult)]
        socket.send(
            PluginFrame(
                HF_FRAME_EXECUTE, number: HF_FRAMES_VERSION, value: order.timeLimit.wholeNanoseconds, texts: texts),
            descriptor: library)
    }

    /// Tells the plugin to stop. One that does not within `PluginLimits.stopGrace`, or whose kind says that it never does, has
    /// failed as cancelled.
    /// - Parameter reason: for the operator, such as "cancelled by ada".
    package func cancel(_ reason: String) {
        tellToStop(.cancelled(reason))
    }

    /// The host's process has ended. What it had sent before still counts.
    /// - Parameter memoryExceeded: the kernel ended it for want of memory.
    package func hostEnded(_ exit: ProcessExit, memoryExceeded: Bool) {
        socket.drain()
        guard !hasEnded else { return }
        finish(.failed(failure(of: exit, memoryExceeded: memoryExceeded)))
    }

    // MARK: Stopping

    private func timeIsOver() {
        tellToStop(.timeOver)
    }

    private func tellToStop(_ why: Stop) {
        guard !hasEnded, stop == nil else { return }
        stop = why
        // Nothing can be undone before its code runs; and what never asks is not waited for.
        guard case .executing(let isCancellable) = stage, isCancellable else {
            return finish(.failed(stopFailure(why, hasIgnored: why.isTimeOver)))
        }
        socket.send(PluginFrame(HF_FRAME_CANCEL, number: why.isTimeOver ? 1 : 0, texts: [why.words(order.timeLimit)]))
        // Whoever waits for an answer wakes up; what it asks for from now on, to tidy up, is still answered.
        for number in openRequests {
            refuse(number, PluginRefusal(.cancelled, "the command is to stop: \(why.words(order.timeLimit))"))
        }
        openRequests = []
        schedule(after: order.limits.stopGrace) { [weak self] in
            guard let self else { return }
            finish(.failed(stopFailure(why, hasIgnored: true)))
        }
    }

    private func socketClosed() {
        guard !hasEnded else { return }
        // As a rule the process has ended, and how it did is on its way.
        schedule(after: order.limits.exitGrace) { [weak self] in
            self?.fail(.disconnected, "the plugin has closed its host's socket (descriptor 3) and runs on")
        }
    }

    private func schedule(after delay: Duration, _ handler: @escaping () -> Void) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: MonotonicClock.now().advanced(by: delay), handler)
    }

    // MARK: Requests

    func take(_ request: PluginFrame) {
        var frame = request
        let number = frame.number
        let name = frame.takeText()
        guard openRequests.count < order.limits.concurrentRequests, openRequests.insert(number).inserted else {
            return refuse(
                number, PluginRefusal(.failed, "more than \(order.limits.concurrentRequests) requests at a time"))
        }
        do throws(PluginRefusal) {
            onRequest(try PluginRequest(name: name, arguments: frame.body)) { [weak self] in self?.answer(number, $0) }
        } catch {
            answer(number, .failure(error))
        }
    }

    private func answer(_ number: Int32, _ answer: Result<PluginAnswer, PluginRefusal>) {
        guard openRequests.remove(number) != nil else { return }
        switch answer {
        case .failure(let refusal): refuse(number, refusal)
        case .success(let answer):
            let bytes = answer.json.serialised()
            guard bytes.count <= PluginAnswer.longest else {
                return refuse(
                    number,
                    PluginRefusal(.tooLong, "the answer has \(bytes.count) bytes, and \(PluginAnswer.longest) fit"))
            }
            socket.send(PluginFrame(HF_FRAME_ANSWER, number: number, rest: bytes), descriptor: answer.descriptor)
        }
    }

    private func refuse(_ number: Int32, _ refusal: PluginRefusal) {
        let words = Self.line(refusal.message, longest: PluginLimits.longestWords)
        socket.send(
            PluginFrame(HF_FRAME_ANSWER, number: number, value: Int64(refusal.reason.rawValue), rest: words.utf8))
    }

    // MARK: The end

    func fail(_ code: PluginFailure.Code, _ message: String) {
        finish(.failed(PluginFailure(code, message)))
    }

    func finish(_ end: End) {
        guard !hasEnded else { return }
        hasEnded = true
        if let timer { loop.cancel(timer) }
        socket.close()
        library.close()
        openRequests = []
        reportWaitingProgress()
        if let notice = lines.takeNotice() { onLog(.warning, notice) }
        onEnd(end)
    }
}
