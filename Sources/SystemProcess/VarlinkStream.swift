package import ControlProtocol
package import LinuxSystem

/// A Varlink connection to holdfastd, as a client: calls out, replies in.
package final class VarlinkStream {
    /// Replies taken at a time; what else the loop has to do has its turn in between.
    private static let readsPerTurn = 8

    private let loop: EventLoop
    private let stream: UnixStream
    private var registration: EventLoop.Registration?
    private var framer = MessageFramer(maximumMessageBytes: JSONLimits.reply.maximumBytes)
    private var outgoing: [UInt8] = []

    package var onReply: (VarlinkReply) -> Void = { _ in }
    /// Called when the replies that had come are taken.
    package var onTurnEnded: () -> Void = {}
    /// Called once.
    package var onClosed: (String) -> Void = { _ in }

    package init(loop: EventLoop, stream: UnixStream) throws(SystemError) {
        self.loop = loop
        self.stream = stream
        registration = try loop.register(stream.rawValue, .readable) { [weak self] in self?.handle($0) }
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    package func send(_ call: VarlinkCall) {
        outgoing += MessageFramer.frame(call)
        flush()
    }

    /// Takes no more replies for now: holdfastd keeps them.
    package func pause(_ isPaused: Bool) {
        guard let registration else { return }
        try? loop.modify(registration, isPaused ? [] : outgoing.isEmpty ? .readable : [.readable, .writable])
        if !isPaused { drain() }
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard readiness.contains(.readable) || readiness.contains(.hangUp) || readiness.contains(.error) else { return }
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            for _ in 0..<Self.readsPerTurn {
                do throws(SystemError) {
                    guard case .done(let message) = try stream.receive(into: buffer) else { break }
                    guard message.count > 0 else { return close("holdfastd has closed the connection") }
                    try? framer.append(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]))
                } catch {
                    return close("\(error)")
                }
            }
            drain()
        }
    }

    private func drain() {
        while registration != nil {
            do {
                guard let message = try framer.next() else { break }
                onReply(try VarlinkReply(json: try JSONValue.parse(message, limits: .reply)))
            } catch {
                return close("holdfastd answers what nobody understands: \(error)")
            }
        }
        if registration != nil { onTurnEnded() }
    }

    private func flush() {
        do throws(SystemError) {
            while !outgoing.isEmpty, case .done(let count) = try stream.send(outgoing) { outgoing.removeFirst(count) }
        } catch {
            return close("\(error)")
        }
        guard let registration else { return }
        try? loop.modify(registration, outgoing.isEmpty ? .readable : [.readable, .writable])
    }

    private func close(_ reason: String) {
        guard let registration else { return }
        loop.unregister(registration)
        self.registration = nil
        onClosed(reason)
    }
}
