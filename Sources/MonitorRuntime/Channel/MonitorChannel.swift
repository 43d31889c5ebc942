import ControlProtocol
import LinuxSystem
import MonitorProtocol

/// The inherited socket to holdfastd (SOCK_SEQPACKET): requests with their descriptors in, reports out. What does not
/// fit the socket waits in a bounded queue.
final class MonitorChannel {
    static let largestPacket = 64 * 1024
    /// Reports that may wait for holdfastd to read: all of 10,000 workers shed and restored, with room to spare.
    static let longestQueue = 32 * 1024
    /// Packets taken at a time: sensors and probes have their turn in between.
    private static let packetsPerTurn = 64

    private let loop: EventLoop
    private let socket: UnixStream
    private var registration: EventLoop.Registration?
    private var queue: [[UInt8]] = []

    /// Called with each request; the descriptor that came with it is closed unless taken.
    var onRequest: (MonitorRequest, SharedDescriptor?) -> Void = { _, _ in }
    /// Called with each packet that could not be understood.
    var onMalformed: (String) -> Void = { _ in }
    /// Called once, when holdfastd has closed its end.
    var onClosed: () -> Void = {}
    /// Called when the queue is full: what this process knows and what holdfastd has heard are two things from now on.
    var onOverflow: () -> Void = {}

    init(loop: EventLoop, socket: UnixStream) {
        self.loop = loop
        self.socket = socket
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    func start() throws(SystemError) {
        registration = try loop.register(socket.rawValue, .readable) { [weak self] readiness in
            self?.handle(readiness)
        }
    }

    /// Sends a report, now or once there is room.
    func send(_ report: MonitorReport) {
        guard registration != nil else { return }
        guard queue.count < MonitorChannel.longestQueue else { return onOverflow() }
        queue.append(report.json.serialised())
        if queue.count == 1 { flush() }
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard readiness.contains(.readable) || readiness.contains(.hangUp) || readiness.contains(.error) else { return }
        receive()
    }

    private func flush() {
        var sent = 0
        while sent < queue.count {
            // A peer that is gone shows as the end of file when receiving.
            guard case .done? = try? socket.send(queue[sent]) else { break }
            sent += 1
        }
        queue.removeFirst(sent)
        guard let registration else { return }
        try? loop.modify(registration, queue.isEmpty ? .readable : [.readable, .writable])
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: MonitorChannel.largestPacket, alignment: 1) { buffer in
            for _ in 0..<MonitorChannel.packetsPerTurn {
                let message: ReceivedMessage
                do throws(SystemError) {
                    guard case .done(let received) = try socket.receive(into: buffer) else { return }
                    message = received
                } catch {
                    return close()
                }
                guard message.count > 0 else { return close() }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]), message)
                guard registration != nil else { return }
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ message: ReceivedMessage) {
        guard !message.isTruncated else {
            return onMalformed("a packet from holdfastd was longer than \(MonitorChannel.largestPacket) bytes")
        }
        do throws(JSONError) {
            let request = try MonitorRequest(json: try JSONValue.parse(bytes))
            onRequest(request, message.descriptors.first)
        } catch {
            onMalformed("a packet from holdfastd could not be understood: \(error)")
        }
    }

    private func close() {
        guard let registration else { return }
        loop.unregister(registration)
        self.registration = nil
        onClosed()
    }
}
