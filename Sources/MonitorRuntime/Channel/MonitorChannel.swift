import ControlProtocol
import LinuxSystem
import MonitorProtocol

/// The inherited socket to holdfastd: requests with their descriptors in, reports out.
final class MonitorChannel {
    /// Reports that may wait for holdfastd to read: all of 10,000 workers shed and restored, with room to spare.
    private static let longestQueue = 32 * 1024
    /// Sensors and probes have their turn in between.
    private static let packetsPerTurn = 64

    private let packets: PacketChannel

    /// Called with each request; the descriptor that came with it is closed unless taken.
    var onRequest: (MonitorRequest, SharedDescriptor?) -> Void = { _, _ in }
    /// Called with each packet that could not be understood.
    var onMalformed: (String) -> Void = { _ in }
    /// Called once, when holdfastd has closed its end.
    var onClosed: () -> Void = {}
    /// Called when the queue is full: what this process knows and what holdfastd has heard are two things from now on.
    var onOverflow: () -> Void = {}

    init(loop: EventLoop, socket: UnixStream) {
        packets = PacketChannel(
            loop: loop, socket: socket, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn)
        packets.onPacket = { [weak self] in self?.take($0, $1) }
        packets.onTruncated = { [weak self] in
            self?.onMalformed("a packet from holdfastd was longer than \(PacketChannel.largestPacket) bytes")
        }
        packets.onClosed = { [weak self] in self?.onClosed() }
    }

    func start() throws(SystemError) {
        try packets.start()
    }

    /// Sends a report, now or once there is room.
    func send(_ report: MonitorReport) {
        guard packets.isOpen else { return }
        if !packets.send(report.json.serialised()) { onOverflow() }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ descriptor: SharedDescriptor?) {
        do throws(JSONError) {
            onRequest(try MonitorRequest(json: try JSONValue.parse(bytes)), descriptor)
        } catch {
            onMalformed("a packet from holdfastd could not be understood: \(error)")
        }
    }
}
