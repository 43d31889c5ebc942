/// A socket of packets (SOCK_SEQPACKET) on the event loop, between `holdfastd` and one of Holdfast's own processes: packets
/// with their descriptors in, packets out. What does not fit the socket waits in a bounded queue. Main thread only.
package final class PacketChannel {
    /// In bytes.
    package static let largestPacket = 64 * 1024

    private let loop: EventLoop
    private let socket: UnixStream
    private let longestQueue: Int
    private let packetsPerTurn: Int
    private var registration: EventLoop.Registration?
    private var queue: [Packet] = []

    private struct Packet {
        let bytes: [UInt8]
        let descriptor: SharedDescriptor?
    }

    /// Called with each packet, whose bytes are valid for as long as the call lasts, and the first descriptor that came with
    /// it, which is closed unless kept.
    package var onPacket: (UnsafeRawBufferPointer, SharedDescriptor?) -> Void = { _, _ in }
    /// Called with each packet that was longer than `largestPacket`, and is lost.
    package var onTruncated: () -> Void = {}
    /// Called when the packets that had come are taken.
    package var onTurnEnded: () -> Void = {}
    /// Called once, when the peer has closed its end, or with `close`.
    package var onClosed: () -> Void = {}

    /// - Parameters:
    ///   - longestQueue: packets that may wait for the peer to read.
    ///   - packetsPerTurn: packets taken at a time: what else the loop has to do has its turn in between.
    package init(loop: EventLoop, socket: UnixStream, longestQueue: Int, packetsPerTurn: Int) {
        self.loop = loop
        self.socket = socket
        self.longestQueue = longestQueue
        self.packetsPerTurn = packetsPerTurn
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    package func start() throws(SystemError) {
        registration = try loop.register(socket.rawValue, .readable) { [weak self] readiness in
            self?.handle(readiness)
        }
    }

    /// Sends a packet, now or once there is room.
    /// - Parameter descriptor: goes along; the peer gets a copy of its own.
    /// - Returns: false when the queue is full (the peer has not read for long) and the packet is dropped, or the channel is
    ///   closed.
    @discardableResult
    package func send(_ packet: [UInt8], _ descriptor: SharedDescriptor? = nil) -> Bool {
        guard registration != nil, queue.count < longestQueue else { return false }
        queue.append(Packet(bytes: packet, descriptor: descriptor))
        if queue.count == 1 { flush() }
        return true
    }

    package var isOpen: Bool { registration != nil }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard readiness.contains(.readable) || readiness.contains(.hangUp) || readiness.contains(.error) else { return }
        receive()
        if isOpen { onTurnEnded() }
    }

    private func flush() {
        var sent = 0
        while sent < queue.count {
            // A peer that is gone shows as the end of file when receiving.
            let descriptors = [queue[sent].descriptor?.rawValue].compactMap { $0 }
            guard case .done? = try? socket.send(queue[sent].bytes, descriptors: descriptors) else { break }
            sent += 1
        }
        queue.removeFirst(sent)
        guard let registration else { return }
        try? loop.modify(registration, queue.isEmpty ? .readable : [.readable, .writable])
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: PacketChannel.largestPacket, alignment: 1) { buffer in
            for _ in 0..<packetsPerTurn {
                let message: ReceivedMessage
                do throws(SystemError) {
                    guard case .done(let received) = try socket.receive(into: buffer) else { return }
                    message = received
                } catch {
                    return close()
                }
                guard message.count > 0 else { return close() }
                if message.isTruncated {
                    onTruncated()
                } else {
                    onPacket(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]), message.descriptors.first)
                }
                guard isOpen else { return }
            }
        }
    }

    /// Takes and sends nothing any more; `onClosed` is called. The peer hears of it when the channel is gone.
    package func close() {
        guard let registration else { return }
        loop.unregister(registration)
        self.registration = nil
        onClosed()
    }
}
