import ControlProtocol
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import Supervision

/// The channel to `holdfast-monitor`: what it has to know, what it asks for, and what it is asked. Every process of it gets a
/// channel of its own and is told everything anew; nothing here waits for it.
final class MonitorLink {
    private let channel: SystemChannel
    /// Workers that have changed since it was told of them, however often: they do not queue up.
    private var changed: Set<WorkerID> = []
    private var departed: Set<String> = []
    private var owesCompletion = false
    private let questions: SystemQuestions

    /// Whether a process is there that has said it is ready.
    private(set) var isReady = false

    /// Whether there is a process, ready or not.
    var isConnected: Bool { channel.isOpen }

    /// The workers as they are now, those that have left the tree left out.
    var describe: ([WorkerID]) -> [MonitoredWorker] = { _ in [] }
    /// Called when a new process has to be told everything.
    var onConnect: () -> Void = {}
    /// Called with all that it says but answers.
    var onReport: (MonitorReport) -> Void = { _ in }

    /// Changes wait this long for others: restarts in milliseconds are not to be slowed by what is written about them.
    static let gatheringTime: Duration = .milliseconds(50)
    static let answerTime: Duration = .seconds(2)
    /// Workers that are described in one go, before it is seen whether the channel takes more.
    private static let workersAtOnce = 512

    init(loop: EventLoop) {
        questions = SystemQuestions(loop: loop, answerTime: Self.answerTime)
        channel = SystemChannel(loop: loop, gatheringTime: Self.gatheringTime)
        channel.onPacket = { [weak self] in self?.take($0) }
        channel.onHangUp = { [weak self] in self?.disconnect() }
        channel.onFlushed = { [weak self] isDrained in isDrained && self?.describeNext() == true }
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
        // Its last words count: who it has let go.
        channel.close()
        isReady = false
        changed = []
        departed = []
        owesCompletion = false
        questions.endAll()
    }

    // MARK: Telling

    func configure(_ settings: MonitorSettings) {
        send(.configure(settings))
    }

    /// Hands over an open trigger.
    func add(_ trigger: SharedDescriptor, of resource: PressureResource) {
        send(.pressureTrigger(resource), trigger)
    }

    func workersChanged(_ workers: some Sequence<WorkerID>) {
        guard channel.isOpen else { return }
        changed.formUnion(workers)
        channel.scheduleFlush()
    }

    func workerLeft(_ worker: WorkerID, _ name: String) {
        guard channel.isOpen else { return }
        changed.remove(worker)
        departed.insert(name)
        channel.scheduleFlush()
    }

    /// Asks it something.
    /// - Parameter answer: called with `nil` when there is no answer in time, or too much of it.
    func ask(_ question: MonitorRequest.Question, _ answer: @escaping (String?) -> Void) {
        guard channel.isOpen else { return answer(nil) }
        questions.ask(answer) { send(.question(id: $0, question)) }
        channel.flush()
    }

    // MARK: Sending

    private func send(_ request: MonitorRequest, _ descriptor: SharedDescriptor? = nil) {
        guard channel.isOpen else { return }
        channel.send(request.json.serialised(), descriptor)
    }

    /// Turns the next changes into packets.
    /// - Returns: whether there were any.
    private func describeNext() -> Bool {
        if !departed.isEmpty || !changed.isEmpty {
            for name in departed.sorted() { send(.forget(worker: name)) }
            departed = []
            let next = changed.sorted().prefix(Self.workersAtOnce)
            changed.subtract(next)
            for worker in describe(Array(next)) { send(.worker(worker)) }
            owesCompletion = true
            return true
        }
        guard owesCompletion else { return false }
        owesCompletion = false
        send(.workersComplete)
        return true
    }

    // MARK: Receiving

    private func take(_ packet: [UInt8]) {
        guard let json = try? JSONValue.parse(packet), let report = try? MonitorReport(json: json) else {
            return
        }
        switch report {
        case .answer(let id, let part, let isLast): questions.append(part, to: id, isLast: isLast)
        case .ready:
            isReady = true
            onReport(report)
        default: onReport(report)
        }
    }
}
