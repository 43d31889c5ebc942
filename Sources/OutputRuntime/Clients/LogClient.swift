import ControlProtocol
import LinuxSystem
import MonotonicTime

/// A connection on which one call of `Logs` is answered. Nothing waits for the client: replies queue up to a limit, and
/// a client beyond it, or one that leaves its queue untouched for `patience`, is dropped.
final class LogClient {
    /// Why a connection ended.
    enum End: Equatable {
        /// All replies are with the client.
        case answered
        case hungUp
        /// It does not read.
        case tooSlow
    }

    /// Bytes of replies that wait for one client, at most.
    static let largestQueue = 256 * 1024
    static let patience: Duration = .seconds(30)

    private let loop: EventLoop
    private let stream: UnixStream
    private var registration: EventLoop.Registration?
    private var queue: [UInt8] = []
    private var sent = 0
    private var endsWhenSent = false
    private var stallTimer: TimerID?

    /// Called once; nothing is sent any more by then.
    var onEnd: (End) -> Void = { _ in }

    init(loop: EventLoop, stream: UnixStream) throws(SystemError) {
        self.loop = loop
        self.stream = stream
        registration = try loop.register(stream.rawValue, .readable) { [weak self] in self?.handle($0) }
    }

    deinit {
        if let stallTimer { loop.cancel(stallTimer) }
        if let registration { loop.unregister(registration) }
    }

    var isOpen: Bool { registration != nil }
    var queuedBytes: Int { queue.count - sent }

    /// Queues a framed reply and sends what the socket takes.
    func send(_ frame: [UInt8]) {
        guard isOpen else { return }
        guard queuedBytes + frame.count <= LogClient.largestQueue else { return end(.tooSlow) }
        queue.append(contentsOf: frame)
        // While the socket is full, writability is announced.
        if stallTimer == nil { flush() }
    }

    /// Ends the connection once everything is sent.
    func finish() {
        endsWhenSent = true
        flush()
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, readiness.contains(.readable) || readiness.contains(.hangUp) || readiness.contains(.error)
        else { return }
        // The call was read by holdfastd. The end of file is a client that left; anything more it has to say comes too
        // late, for the connection ends with the call.
        end(.hungUp)
    }

    private func flush() {
        guard isOpen else { return }
        while queuedBytes > 0 {
            do throws(SystemError) {
                let result = try queue[sent...].withUnsafeBufferPointer { (rest) throws(SystemError) in
                    try stream.send(UnsafeRawBufferPointer(rest))
                }
                guard case .done(let count) = result, count > 0 else { return waitForRoom() }
                sent += count
                stopWaiting()
            } catch {
                return end(.hungUp)
            }
        }
        queue = []
        sent = 0
        setInterest(.readable)
        if endsWhenSent { end(.answered) }
    }

    private func waitForRoom() {
        queue.removeFirst(sent)
        sent = 0
        setInterest([.readable, .writable])
        guard stallTimer == nil else { return }
        stallTimer = loop.schedule(at: loop.now.advanced(by: LogClient.patience)) { [weak self] in
            self?.stallTimer = nil
            self?.end(.tooSlow)
        }
    }

    private func stopWaiting() {
        if let stallTimer { loop.cancel(stallTimer) }
        stallTimer = nil
    }

    private func setInterest(_ interest: EventLoop.Interest) {
        guard let registration else { return }
        try? loop.modify(registration, interest)
    }

    private func end(_ end: End) {
        guard let registration else { return }
        stopWaiting()
        loop.unregister(registration)
        self.registration = nil
        onEnd(end)
    }
}
