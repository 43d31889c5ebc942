package import ControlProtocol
package import LinuxSystem

/// The inherited socket to holdfastd: requests with their descriptors in, reports out.
package final class SupervisorChannel<Request, Report> {
    private let packets: PacketChannel
    private let decode: (JSONValue) throws(JSONError) -> Request
    private let encode: (Report) -> [UInt8]

    /// Called with each request; the descriptor that came with it is closed unless taken.
    package var onRequest: (Request, SharedDescriptor?) -> Void = { _, _ in }
    /// Called with each packet that could not be understood.
    package var onMalformed: (String) -> Void = { _ in }
    /// Called when the packets that had come are taken.
    package var onTurnEnded: () -> Void = {}
    /// Called once, when holdfastd has closed its end.
    package var onClosed: () -> Void = {}
    /// Called when the queue is full and a report is dropped: what this process knows and what holdfastd has heard are two
    /// things from now on.
    package var onOverflow: () -> Void = {}

    /// - Parameters:
    ///   - longestQueue: reports that may wait for holdfastd to read.
    ///   - packetsPerTurn: requests taken at a time: the process's own work has its turn in between.
    package init(
        loop: EventLoop, socket: UnixStream, longestQueue: Int, packetsPerTurn: Int,
        decode: @escaping (JSONValue) throws(JSONError) -> Request, encode: @escaping (Report) -> [UInt8]
    ) {
        self.decode = decode
        self.encode = encode
        packets = PacketChannel(
            loop: loop, socket: socket, longestQueue: longestQueue, packetsPerTurn: packetsPerTurn)
        packets.onPacket = { [weak self] in self?.take($0, $1) }
        packets.onTruncated = { [weak self] in
            self?.onMalformed("a packet from holdfastd was longer than \(PacketChannel.largestPacket) bytes")
        }
        packets.onTurnEnded = { [weak self] in self?.onTurnEnded() }
        packets.onClosed = { [weak self] in self?.onClosed() }
    }

    package func start() throws(SystemError) {
        try packets.start()
    }

    /// Sends a report, now or once there is room.
    package func send(_ report: Report) {
        guard packets.isOpen else { return }
        if !packets.send(encode(report)) { onOverflow() }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ descriptor: SharedDescriptor?) {
        do throws(JSONError) {
            onRequest(try decode(try JSONValue.parse(bytes)), descriptor)
        } catch {
            onMalformed("a packet from holdfastd could not be understood: \(error)")
        }
    }
}

extension SupervisorChannel where Request: JSONConvertible, Report: JSONConvertible {
    package convenience init(loop: EventLoop, socket: UnixStream, longestQueue: Int, packetsPerTurn: Int) {
        self.init(
            loop: loop, socket: socket, longestQueue: longestQueue, packetsPerTurn: packetsPerTurn,
            decode: { json throws(JSONError) in try Request(json: json) }, encode: { $0.json.serialised() })
    }
}
