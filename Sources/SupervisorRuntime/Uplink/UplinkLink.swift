import ControlProtocol
import LinuxSystem
import MonotonicTime
import UplinkProtocol

/// The channel to `holdfast-uplink`: its settings, the workers' telemetry sockets, what it asks for, and what it is asked.
/// Every process of it gets a channel of its own and is told everything anew; nothing here waits for it.
final class UplinkLink {
    private let channel: SystemChannel
    private let questions: SystemQuestions

    /// Whether a process is there that has said it is ready.
    private(set) var isReady = false

    /// Whether there is a process, ready or not.
    var isConnected: Bool { channel.isOpen }

    /// Called when a new process has to be told everything.
    var onConnect: () -> Void = {}
    /// Called when nobody listens any more.
    var onDisconnect: () -> Void = {}
    /// Called with all that it says but answers.
    var onReport: (UplinkReport) -> Void = { _ in }

    private static let gatheringTime: Duration = .milliseconds(20)
    private static let answerTime: Duration = .seconds(5)

    init(loop: EventLoop) {
        questions = SystemQuestions(loop: loop, answerTime: Self.answerTime)
        channel = SystemChannel(loop: loop, gatheringTime: Self.gatheringTime)
        channel.onPacket = { [weak self] in self?.take($0) }
        channel.onHangUp = { [weak self] in self?.disconnect() }
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
        // Its last words count: what was lost.
        channel.close()
        isReady = false
        questions.endAll()
        if wasConnected { onDisconnect() }
    }

    // MARK: Telling

    func configure(_ settings: UplinkSettings) {
        send(.configure(settings))
    }

    /// Hands over a worker's socket, or says its limits anew.
    func add(_ worker: String, _ socket: TelemetrySocket, _ limits: TelemetryLimits) {
        send(.telemetry(worker: worker, limits), socket.descriptor)
    }

    func remove(_ worker: String) {
        send(.forget(worker: worker))
    }

    func complete() {
        send(.workersComplete)
    }

    /// Hands over the control connection that it has asked for.
    func handOver(_ connection: UnixStream, id: Int) {
        guard let duplicate = try? SystemCall.duplicate(connection.rawValue) else { return }
        send(.control(id: id), SharedDescriptor(duplicate))
        channel.flush()
    }

    /// Hands over its end of a socket on which downloads are asked for.
    /// - Returns: whether there is a process.
    func handOverDownloads(_ socket: UnixStream) -> Bool {
        guard channel.isOpen, let duplicate = try? SystemCall.duplicate(socket.rawValue) else { return false }
        send(.downloads, SharedDescriptor(duplicate))
        channel.flush()
        return true
    }

    /// Asks it something.
    /// - Parameter answer: called with `nil` when there is no answer in time, or too much of it.
    func ask(_ question: UplinkRequest.Question, _ answer: @escaping (String?) -> Void) {
        guard channel.isOpen else { return answer(nil) }
        questions.ask(answer) { send(.question(id: $0, question)) }
        channel.flush()
    }

    private func send(_ request: UplinkRequest, _ descriptor: SharedDescriptor? = nil) {
        guard channel.isOpen else { return }
        channel.send(request.json.serialised(), descriptor)
    }

    // MARK: Receiving

    private func take(_ packet: [UInt8]) {
        guard let json = try? JSONValue.parse(packet), let report = try? UplinkReport(json: json) else { return }
        switch report {
        case .answer(let id, let part, let isLast): questions.append(part, to: id, isLast: isLast)
        case .ready:
            isReady = true
            onReport(report)
        default: onReport(report)
        }
    }
}
