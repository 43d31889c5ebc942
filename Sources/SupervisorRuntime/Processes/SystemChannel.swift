import LinuxSystem
import MonotonicTime

/// `holdfastd`'s end of the channel to one of Holdfast's own processes. Packets wait a moment for others: in a burst of deaths
/// the processors belong to the replacements, not to what is written about them. Nothing here waits for the process.
final class SystemChannel {
    private let loop: EventLoop
    private let gatheringTime: Duration
    private var socket: UnixStream?
    private var registration: EventLoop.Registration?
    private var queue: [Packet] = []
    private var flushTimer: TimerID?
    private var awaitsWritability = false

    private struct Packet {
        let bytes: [UInt8]
        let descriptor: SharedDescriptor?
    }

    /// Called with each packet of the process.
    var onPacket: ([UInt8]) -> Void = { _ in }
    /// Called when the process has closed its end, which `close` is to follow.
    var onHangUp: () -> Void = {}
    /// Called after each try to send.
    /// - Returns: whether to try again at once, for there is more to send now.
    var onFlushed: (_ isDrained: Bool) -> Bool = { _ in false }

    /// - Parameter gatheringTime: how long a packet waits for others.
    init(loop: EventLoop, gatheringTime: Duration) {
        self.loop = loop
        self.gatheringTime = gatheringTime
    }

    var isOpen: Bool { socket != nil }

    /// Packets that wait for the process to read.
    var queued: Int { queue.count }

    /// Makes a channel for a new process.
    /// - Returns: the end that the process inherits.
    func open() throws(SystemError) -> UnixStream {
        let (ours, theirs) = try UnixStream.makePacketPair()
        registration = try loop.register(ours.rawValue, .readable) { [weak self] readiness in
            self?.handle(readiness)
        }
        socket = ours
        return theirs
    }

    /// Takes the last words of the process, and forgets what was still to be told to it.
    func close() {
        // Where it has left a word of ours unread, the first call tells that, and only the next ones what it said
        // (ECONNRESET).
        for _ in 0..<2 { while receive() == .packet {} }
        if let registration { loop.unregister(registration) }
        registration = nil
        socket = nil
        queue = []
        awaitsWritability = false
    }

    // MARK: Sending

    /// Queues a packet, which is sent with those that gather meanwhile.
    func send(_ bytes: [UInt8], _ descriptor: SharedDescriptor? = nil) {
        guard isOpen else { return }
        queue.append(Packet(bytes: bytes, descriptor: descriptor))
        scheduleFlush()
    }

    func scheduleFlush() {
        guard flushTimer == nil else { return }
        flushTimer = loop.schedule(at: loop.now + gatheringTime) { [weak self] in
            self?.flushTimer = nil
            self?.flush()
        }
    }

    /// Sends what waits, as far as the process reads.
    func flush() {
        var isDrained = false
        repeat {
            guard let socket else { return }
            isDrained = sendQueue(to: socket)
        } while onFlushed(isDrained)
    }

    /// - Returns: whether nothing is left.
    private func sendQueue(to socket: UnixStream) -> Bool {
        var sent = 0
        var isFull = false
        defer {
            queue.removeFirst(sent)
            awaitWritability(isFull)
        }
        while sent < queue.count {
            let descriptors = [queue[sent].descriptor?.rawValue].compactMap { $0 }
            do throws(SystemError) {
                guard case .done = try socket.send(queue[sent].bytes, descriptors: descriptors) else {
                    isFull = true
                    return false
                }
            } catch {
                if error.isTransient {
                    scheduleFlush()
                    return false
                }
                // It is going away; the hang-up says so too. A packet that is too large is dropped like that as well.
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
        if readiness.contains(.readable), receive() == .end { return onHangUp() }
        if readiness.contains(.writable) { flush() }
        if readiness.contains(.hangUp) { onHangUp() }
    }

    private enum Received {
        case packet, nothing, end
    }

    /// Takes one packet.
    private func receive() -> Received {
        guard let socket else { return .nothing }
        let packet = withUnsafeTemporaryAllocation(
            byteCount: PacketChannel.largestPacket, alignment: 1
        ) { buffer -> [UInt8]? in
            guard let result = try? socket.receive(into: buffer), case .done(let message) = result else { return nil }
            return Array(buffer[..<message.count])
        }
        guard let packet else { return .nothing }
        guard !packet.isEmpty else { return .end }
        onPacket(packet)
        return .packet
    }
}
