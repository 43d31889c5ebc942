import ControlProtocol
import LinuxSystem

/// The inherited socket to holdfastd (SOCK_SEQPACKET): requests with their descriptors in, reports out. What does not
/// fit the socket waits in a bounded queue.
final class SupervisorChannel {
    static let largestPacket = 64 * 1024
    /// Reports that may wait for holdfastd to read.
    static let longestQueue = 256
    /// Packets taken at a time: the FIFOs have their turn in between.
    private static let packetsPerTurn = 32

    private let loop: EventLoop
    private let socket: UnixStream
    private var registration: EventLoop.Registration?
    private var queue: [[UInt8]] = []

    /// Called with each request; the descriptor that came with it is closed unless taken.
    var onRequest: (SupervisorRequest, SharedDescriptor?) -> Void = { _, _ in }
    /// Called with each packet that could not be understood.
    var onMalformed: (String) -> Void = { _ in }
    /// Called when the packets that had come are taken.
    var onTurnEnded: () -> Void = {}
    /// Called once, when holdfastd has closed its end.
    var onClosed: () -> Void = {}

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

    /// Sends a report, now or once there is room. With the queue full (holdfastd has not read for long) it is dropped.
    /// - Returns: whether it was sent or waits.
    @discardableResult
    func send(_ report: SupervisorReport) -> Bool {
        guard registration != nil, queue.count < SupervisorChannel.longestQueue else { return false }
        queue.append(report.packet)
        if queue.count == 1 { flush() }
        return true
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard readiness.contains(.readable) || readiness.contains(.hangUp) || readiness.contains(.error) else { return }
        receive()
        if registration != nil { onTurnEnded() }
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
        withUnsafeTemporaryAllocation(byteCount: SupervisorChannel.largestPacket, alignment: 1) { buffer in
            for _ in 0..<SupervisorChannel.packetsPerTurn {
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
            return onMalformed("a packet from holdfastd was longer than \(SupervisorChannel.largestPacket) bytes")
        }
        do throws(JSONError) {
            let request = try SupervisorRequest(json: try JSONValue.parse(bytes))
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
