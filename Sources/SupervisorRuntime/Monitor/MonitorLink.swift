import ControlProtocol
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import Supervision

/// The channel to `holdfast-monitor`: what it has to know, what it asks for, and what it is asked. Every process of it gets a
/// channel of its own and is told everything anew; nothing here waits for it.
final class MonitorLink {
    private let loop: EventLoop
    private var channel: UnixStream?
    private var registration: EventLoop.Registration?
    private var queue: [Packet] = []
    private var flushTimer: TimerID?
    private var awaitsWritability = false
    /// Workers that have changed since it was told of them, however often: they do not queue up.
    private var changed: Set<WorkerID> = []
    private var departed: Set<String> = []
    private var owesCompletion = false
    private var questions = MonitorQuestions()

    /// Whether a process is there that has said it is ready.
    private(set) var isReady = false

    /// Whether there is a process, ready or not.
    var isConnected: Bool { channel != nil }

    /// The workers as they are now, those that have left the tree left out.
    var describe: ([WorkerID]) -> [MonitoredWorker] = { _ in [] }
    /// Called when a new process has to be told everything.
    var onConnect: () -> Void = {}
    /// Called with all that it says but answers.
    var onReport: (MonitorReport) -> Void = { _ in }

    private struct Packet {
        let bytes: [UInt8]
        let descriptor: SharedDescriptor?
    }

    /// Changes wait this long for others: restarts in milliseconds are not to be slowed by what is written about them.
    static let gatheringTime: Duration = .milliseconds(50)
    static let answerTime: Duration = .seconds(2)
    private static let largestPacket = 64 * 1024
    /// Workers that are described in one go, before it is seen whether the channel takes more.
    private static let workersAtOnce = 512

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// Makes the channel of a new process and queues what it has to know.
    /// - Returns: the end that the process inherits.
    func connect() throws(SystemError) -> UnixStream {
        disconnect()
        let (ours, theirs) = try UnixStream.makePacketPair()
        channel = ours
        registration = try loop.register(ours.rawValue, .readable) { [weak self] readiness in
            self?.handle(readiness)
        }
        onConnect()
        return theirs
    }

    func disconnect() {
        // Its last words count: who it has let go. Where it has left a word of ours unread, the first call tells that, and
        // only the next ones what it said (ECONNRESET).
        for _ in 0..<2 { while receive() == .packet {} }
        if let registration { loop.unregister(registration) }
        registration = nil
        channel = nil
        isReady = false
        queue = []
        changed = []
        departed = []
        owesCompletion = false
        awaitsWritability = false
        for question in questions.takeAll() { end(question, with: nil) }
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
        guard channel != nil else { return }
        changed.formUnion(workers)
        scheduleFlush()
    }

    func workerLeft(_ worker: WorkerID, _ name: String) {
        guard channel != nil else { return }
        changed.remove(worker)
        departed.insert(name)
        scheduleFlush()
    }

    /// Asks it something.
    /// - Parameter answer: called with `nil` when there is no answer in time, or too much of it.
    func ask(_ question: MonitorRequest.Question, _ answer: @escaping (String?) -> Void) {
        guard channel != nil, questions.hasRoom else { return answer(nil) }
        let id = questions.nextID
        let timer = loop.schedule(at: loop.now + Self.answerTime) { [weak self] in
            if let late = self?.questions.take(id) { late.answer(nil) }
        }
        questions.add(id, timer: timer, answer)
        send(.question(id: id, question))
        flush()
    }

    // MARK: Sending

    private func send(_ request: MonitorRequest, _ descriptor: SharedDescriptor? = nil) {
        guard channel != nil else { return }
        queue.append(Packet(bytes: request.json.serialised(), descriptor: descriptor))
        scheduleFlush()
    }

    private func scheduleFlush() {
        guard flushTimer == nil else { return }
        flushTimer = loop.schedule(at: loop.now + Self.gatheringTime) { [weak self] in
            self?.flushTimer = nil
            self?.flush()
        }
    }

    private func flush() {
        var isOpen = true
        repeat { isOpen = sendQueue() } while isOpen && describeNext()
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

    /// - Returns: whether all is sent.
    private func sendQueue() -> Bool {
        guard let channel else { return false }
        var sent = 0
        var isFull = false
        defer {
            queue.removeFirst(min(sent, queue.count))
            awaitWritability(isFull)
        }
        while sent < queue.count {
            let descriptors = [queue[sent].descriptor?.rawValue].compactMap { $0 }
            do throws(SystemError) {
                guard case .done = try channel.send(queue[sent].bytes, descriptors: descriptors) else {
                    isFull = true
                    return false
                }
            } catch {
                if error.isTransient {
                    scheduleFlush()
                    return false
                }
                // It is going away; the hang-up says so too.
            }
            sent += 1
        }
        return true
    }

    private func awaitWritability(_ isAwaited: Bool) {
        guard let registration, awaitsWritability != isAwaited else { return }
        awaitsWritability = isAwaited
        try? loop.modify(registration, isAwaited ? [.readable, .writable] : .readable)
    }

    // MARK: Receiving

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.readable), receive() == .end { return disconnect() }
        if readiness.contains(.writable) { flush() }
        if readiness.contains(.hangUp) { disconnect() }
    }

    private enum Received {
        case packet, nothing, end
    }

    /// Takes one packet.
    private func receive() -> Received {
        guard let channel else { return .nothing }
        let packet = withUnsafeTemporaryAllocation(byteCount: Self.largestPacket, alignment: 1) { buffer -> [UInt8]? in
            guard let result = try? channel.receive(into: buffer), case .done(let message) = result else { return nil }
            return Array(buffer[..<message.count])
        }
        guard let packet else { return .nothing }
        guard !packet.isEmpty else { return .end }
        guard let json = try? JSONValue.parse(packet), let report = try? MonitorReport(json: json) else {
            return .packet
        }
        switch report {
        case .answer(let id, let part, let isLast):
            if let question = questions.append(part, to: id, isLast: isLast) { end(question, with: question.text) }
        case .ready:
            isReady = true
            onReport(report)
        default: onReport(report)
        }
        return .packet
    }

    private func end(_ question: MonitorQuestions.Question, with text: String?) {
        loop.cancel(question.timer)
        question.answer(text)
    }
}
