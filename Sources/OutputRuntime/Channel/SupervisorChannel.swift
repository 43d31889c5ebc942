import ControlProtocol
import LinuxSystem

/// The inherited socket to holdfastd: requests with their descriptors in, reports out.
final class SupervisorChannel {
    /// Reports that may wait for holdfastd to read.
    private static let longestQueue = 256
    /// The FIFOs have their turn in between.
    private static let packetsPerTurn = 32

    private let packets: PacketChannel

    /// Called with each request; the descriptor that came with it is closed unless taken.
    var onRequest: (SupervisorRequest, SharedDescriptor?) -> Void = { _, _ in }
    /// Called with each packet that could not be understood.
    var onMalformed: (String) -> Void = { _ in }
    /// Called when the packets that had come are taken.
    var onTurnEnded: () -> Void = {}
    /// Called once, when holdfastd has closed its end.
    var onClosed: () -> Void = {}

    init(loop: EventLoop, socket: UnixStream) {
        packets = PacketChannel(
            loop: loop, socket: socket, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn)
        packets.onPacket = { [weak self] in self?.take($0, $1) }
        packets.onTruncated = { [weak self] in
            self?.onMalformed("a packet from holdfastd was longer than \(PacketChannel.largestPacket) bytes")
        }
        packets.onTurnEnded = { [weak self] in self?.onTurnEnded() }
        packets.onClosed = { [weak self] in self?.onClosed() }
    }

    func start() throws(SystemError) {
        try packets.start()
    }

    /// Sends a report, now or once there is room. With the queue full (holdfastd has not read for long) it is dropped.
    /// - Returns: whether it was sent or waits.
    @discardableResult
    func send(_ report: SupervisorReport) -> Bool { packets.send(report.packet) }

    private func take(_ bytes: UnsafeRawBufferPointer, _ descriptor: SharedDescriptor?) {
        do throws(JSONError) {
            onRequest(try SupervisorRequest(json: try JSONValue.parse(bytes)), descriptor)
        } catch {
            onMalformed("a packet from holdfastd could not be understood: \(error)")
        }
    }
}
