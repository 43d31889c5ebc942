import ControlProtocol
import LinuxSystem
import UplinkProtocol

/// The inherited socket to holdfastd: requests with their descriptors in, reports out.
final class UplinkChannel {
    /// Reports that may wait for holdfastd to read.
    private static let longestQueue = 1024
    /// Telemetry and the link have their turn in between.
    private static let packetsPerTurn = 64
    /// An answer's part. As text within JSON it may be twice as long.
    private static let longestPart = 24 * 1024

    private let packets: PacketChannel

    /// Called with each request; the descriptor that came with it is closed unless taken.
    var onRequest: (UplinkRequest, SharedDescriptor?) -> Void = { _, _ in }
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
    func send(_ report: UplinkReport) {
        guard packets.isOpen else { return }
        if !packets.send(report.json.serialised()) { onOverflow() }
    }

    /// Answers a question, in parts.
    func answer(_ id: Int, _ answer: JSONValue) {
        var rest = Substring(answer.text)
        repeat {
            let part = rest.prefix(bytes: Self.longestPart)
            rest = rest[part.endIndex...]
            send(.answer(id: id, part: String(part), isLast: rest.isEmpty))
        } while !rest.isEmpty
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ descriptor: SharedDescriptor?) {
        do throws(JSONError) {
            onRequest(try UplinkRequest(json: try JSONValue.parse(bytes)), descriptor)
        } catch {
            onMalformed("a packet from holdfastd could not be understood: \(error)")
        }
    }
}

extension Substring {
    /// At most so many bytes, and no part of a character.
    fileprivate func prefix(bytes count: Int) -> Substring {
        guard var end = utf8.index(startIndex, offsetBy: count, limitedBy: endIndex) else { return self }
        while end < endIndex, utf8[end] & 0xc0 == 0x80 { end = utf8.index(before: end) }
        return self[..<end]
    }
}
