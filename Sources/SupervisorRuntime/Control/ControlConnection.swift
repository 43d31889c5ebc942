import ControlProtocol
import LinuxSystem
import MonotonicTime

/// One client of the control socket. It is read only while it owes no reply, so a client that asks without reading
/// holds at most one reply, and one that sends without end is cut off at the limit of a request.
final class ControlConnection {
    let id: Int
    let rights: ControlRights
    private let loop: EventLoop
    private var stream: UnixStream?
    private var registration: EventLoop.Registration?
    private var framer = MessageFramer()
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var isOneway = false
    /// An `Events` call under way.
    private var eventStream: EventStream?
    /// A call whose reply comes later.
    private var awaitsReply = false
    private var isPumping = false
    /// When the client last asked for something; at first, when it came.
    private(set) var lastCall: MonotonicInstant

    /// Called with each complete call.
    var onCall: (VarlinkCall, ControlConnection) -> Void = { _, _ in }
    /// Called once when the connection is over.
    var onClose: (ControlConnection) -> Void = { _ in }

    private struct EventStream {
        var next: Int
        let follows: Bool
        let chronicle: Chronicle
    }

    /// Events are written ahead up to this many bytes; the ring keeps the others until the client has read.
    private static let writeAhead = 64 * 1024

    init(id: Int, stream: UnixStream, rights: ControlRights, loop: EventLoop) {
        self.id = id
        self.stream = stream
        self.rights = rights
        self.loop = loop
        lastCall = loop.now
    }

    func start() throws(SystemError) {
        guard let stream else { return }
        registration = try loop.register(stream.rawValue, .readable) { [weak self] readiness in
            self?.handle(readiness)
        }
    }

    func send(_ reply: VarlinkReply) {
        awaitsReply = reply.continues
        guard !isOneway else { return }
        outgoing += MessageFramer.frame(reply.json)
        pump()
    }

    /// Whether the client has not read for a while: replies that others will follow had better be left out.
    var isCongested: Bool { outgoing.count - sent > Self.writeAhead }

    /// The call is answered later, by `send`; nothing more is read until then.
    func deferReply() {
        awaitsReply = true
    }

    /// Answers an `Events` call from the ring, beginning after `since`.
    func streamEvents(since: Int?, follows: Bool, from chronicle: Chronicle) {
        let after = min(since ?? 0, chronicle.events.next)
        let next = max(after + 1, chronicle.events.first)
        eventStream = EventStream(next: min(next, chronicle.events.next), follows: follows, chronicle: chronicle)
        pump()
    }

    /// There is a new event: a following client gets it.
    func eventAppended() {
        if eventStream != nil { pump() }
    }

    /// Gives up the socket, to be handed to another process.
    func detach() -> UnixStream? {
        if let registration { loop.unregister(registration) }
        registration = nil
        defer { close() }
        return stream.take()
    }

    func close() {
        guard let registration = registration.take() ?? nil else {
            stream = nil
            onClose(self)
            onClose = { _ in }
            return
        }
        loop.unregister(registration)
        stream = nil
        onClose(self)
        onClose = { _ in }
    }

    /// Owes the client something.
    var isBusy: Bool { sent < outgoing.count || eventStream != nil || awaitsReply }

    private func handle(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) || sent < outgoing.count { pump() }
        if readiness.contains(.readable), !isBusy { receive() }
        if readiness.contains(.hangUp) || readiness.contains(.error), !readiness.contains(.readable) || isBusy {
            close()
        }
    }

    private func receive() {
        guard let stream else { return }
        let received = withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer -> Bool in
            guard let result = try? stream.receive(into: buffer) else { return false }
            switch result {
            case .wouldBlock: return true
            case .done(let message):
                guard message.count > 0 else { return false }
                do {
                    try framer.append(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]))
                    return true
                } catch { return false }
            }
        }
        guard received else { return close() }
        takeCalls()
    }

    private func takeCalls() {
        while !isBusy, stream != nil {
            let next: [UInt8]?
            do { next = try framer.next() } catch { return close() }
            guard let message = next else { return updateInterest() }
            guard let json = try? JSONValue.parse(message), let call = try? VarlinkCall(json: json)
            else { return close() }
            isOneway = call.oneway
            lastCall = loop.now
            onCall(call, self)
        }
        updateInterest()
    }

    /// Writes what there is to write, and takes more from the event stream as room comes free.
    private func pump() {
        guard !isPumping, stream != nil else { return }
        isPumping = true
        defer { isPumping = false }
        repeat {
            takeEvents()
            guard flush() else { return close() }
        } while sent == outgoing.count && hasEventsToSend
        if sent == outgoing.count {
            outgoing.removeAll(keepingCapacity: outgoing.capacity <= Self.writeAhead)
            sent = 0
        }
        isPumping = false
        if isBusy { updateInterest() } else { takeCalls() }
    }

    private var hasEventsToSend: Bool {
        guard let eventStream else { return false }
        return eventStream.next < eventStream.chronicle.events.next || !eventStream.follows
    }

    private func takeEvents() {
        guard var stream = eventStream else { return }
        let events = stream.chronicle.events
        stream.next = max(stream.next, events.first)
        while outgoing.count - sent < Self.writeAhead, let event = events[stream.next] {
            let reply = EventsReply(event: event.report, firstAvailable: events.first)
            outgoing += MessageFramer.frame(VarlinkReply(reply, continues: true).json)
            stream.next += 1
        }
        eventStream = stream
        if !stream.follows, stream.next == events.next {
            let end = EventsReply(event: nil, firstAvailable: events.first)
            outgoing += MessageFramer.frame(VarlinkReply(end).json)
            eventStream = nil
        }
    }

    /// - Returns: whether the client is still there.
    private func flush() -> Bool {
        guard let stream else { return false }
        while sent < outgoing.count {
            let result = outgoing.withUnsafeBytes { try? stream.send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            switch result {
            case .done(let count): sent += count
            case .wouldBlock: return true
            case nil: return false
            }
        }
        return true
    }

    private func updateInterest() {
        guard let registration else { return }
        var interest: EventLoop.Interest = []
        if sent < outgoing.count { interest.insert(.writable) }
        if !isBusy { interest.insert(.readable) }
        do { try loop.modify(registration, interest) } catch { close() }
    }
}
