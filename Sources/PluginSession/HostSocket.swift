import CPluginFrames
import LinuxSystem

/// Our end of a plugin host's socket, on the event loop. What the host does not read waits here.
final class HostSocket {
    private static let largestPacket = MemoryLayout<hf_frame>.size + Int(HF_FRAME_BODY_MAX)
    /// Frames taken at a time, so that a plugin that logs without end leaves the loop its turn.
    private static let framesPerTurn = 32

    private let loop: EventLoop
    private var socket: UnixStream?
    private var registration: EventLoop.Registration?
    private var queue: [(bytes: [UInt8], descriptor: SharedDescriptor?)] = []

    var onFrame: (PluginFrame) -> Void = { _ in }
    /// Called with what is no frame.
    var onNonsense: () -> Void = {}
    /// Called once, when the last copy of the host's end was closed.
    var onClosed: () -> Void = {}

    init(loop: EventLoop, socket: UnixStream) {
        self.loop = loop
        self.socket = socket
    }

    deinit { close() }

    func start() throws(SystemError) {
        guard let socket else { return }
        try SystemCall.setNonBlocking(socket.rawValue)
        registration = try loop.register(socket.rawValue, .readable) { [weak self] in self?.handle($0) }
    }

    /// Sends a frame, now or once there is room, and nothing when the host is gone.
    func send(_ frame: PluginFrame, descriptor: SharedDescriptor? = nil) {
        guard registration != nil else { return }
        queue.append((frame.bytes, descriptor))
        if queue.count == 1 { flush() }
    }

    /// Takes everything that the host has sent, when it is known that no more will come.
    func drain() {
        while socket != nil, receive() {}
    }

    func close() {
        if let registration { loop.unregister(registration) }
        registration = nil
        socket = nil
        queue = []
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard !readiness.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
        for _ in 0..<Self.framesPerTurn where !receive() { return }
    }

    private func flush() {
        guard let socket, let registration else { return }
        while let next = queue.first {
            let descriptors = next.descriptor?.rawValue.map { [$0] } ?? []
            // A host that is gone shows as the end of the file when receiving.
            guard case .done? = try? socket.send(next.bytes, descriptors: descriptors) else { break }
            queue.removeFirst()
        }
        try? loop.modify(registration, queue.isEmpty ? .readable : [.readable, .writable])
    }

    /// - Returns: whether there was a packet.
    private func receive() -> Bool {
        guard let socket else { return false }
        let result: (frame: PluginFrame?, isEnd: Bool)? = withUnsafeTemporaryAllocation(
            byteCount: Self.largestPacket, alignment: 8
        ) { buffer in
            do throws(SystemError) {
                // Descriptors that come along are closed: a plugin has nothing to give.
                guard case .done(let message) = try socket.receive(into: buffer) else { return nil }
                guard message.count > 0 else { return (nil, true) }
                guard !message.isTruncated else { return (nil, false) }
                return (PluginFrame(packet: UnsafeRawBufferPointer(rebasing: buffer[..<message.count])), false)
            } catch {
                return (nil, true)
            }
        }
        guard let result else { return false }
        if let frame = result.frame {
            onFrame(frame)
            return true
        }
        if !result.isEnd {
            onNonsense()
            return true
        }
        close()
        onClosed()
        return false
    }
}
