import LinuxSystem
import MonotonicTime

/// A TCP server on the test's loop that does what it is told, and no more.
final class LoopbackServer {
    /// What is done with each connection.
    enum Behaviour {
        /// Takes it and says nothing.
        case hang
        case answer(String)
        /// A byte with each turn of the loop that the test lets it have, for ever.
        case trickle(String)
    }

    private let loop: EventLoop
    private let listener: LoopbackListener
    private var registration: EventLoop.Registration?
    private var connections: [(stream: LoopbackStream, registration: EventLoop.Registration)] = []
    private var timer: TimerID?
    var behaviour: Behaviour
    private(set) var requests: [String] = []
    private(set) var connectionCount = 0

    var port: Int { listener.port }

    init(_ loop: EventLoop, _ behaviour: Behaviour, port: Int = 0) throws {
        self.loop = loop
        self.behaviour = behaviour
        listener = try LoopbackListener(port: port)
        registration = try loop.register(listener.rawValue, .readable) { [weak self] _ in self?.accept() }
    }

    deinit {
        if let registration { loop.unregister(registration) }
        for connection in connections { loop.unregister(connection.registration) }
        if let timer { loop.cancel(timer) }
    }

    private func accept() {
        while let stream = try? listener.accept() {
            connectionCount += 1
            let registered = try? loop.register(stream.rawValue, .readable) { [weak self, weak stream] _ in
                if let stream { self?.handle(stream) }
            }
            if let registered { connections.append((stream, registered)) }
        }
    }

    private func handle(_ stream: LoopbackStream) {
        var text = ""
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            if case .done(let count)? = try? stream.receive(into: buffer) {
                text = String(decoding: buffer[..<count], as: UTF8.self)
            }
        }
        guard !text.isEmpty else { return close(stream) }
        requests.append(text)
        switch behaviour {
        case .hang: break
        case .answer(let answer):
            _ = try? stream.send(Array(answer.utf8)[...])
            close(stream)
        case .trickle(let start):
            _ = try? stream.send(Array(start.utf8)[...])
            trickle(stream)
        }
    }

    private func trickle(_ stream: LoopbackStream) {
        timer = loop.schedule(at: loop.now + .milliseconds(5)) { [weak self, weak stream] in
            guard let self, let stream, (try? stream.send([UInt8(ascii: "x")])) != nil else { return }
            trickle(stream)
        }
    }

    private func close(_ stream: LoopbackStream) {
        guard let place = connections.firstIndex(where: { $0.stream === stream }) else { return }
        loop.unregister(connections[place].registration)
        connections.remove(at: place)
    }
}

/// A client of HTTP on the same loop.
final class LoopbackClient {
    private let loop: EventLoop
    private let stream: LoopbackStream
    private var registration: EventLoop.Registration?
    private(set) var answer = ""
    private(set) var isClosed = false

    /// - Parameter request: sent once connected; nothing when empty.
    init(_ loop: EventLoop, port: Int, request: String) throws {
        self.loop = loop
        stream = try LoopbackStream.connect(to: "127.0.0.1", port: port)
        var unsent = Array(request.utf8)[...]
        registration = try loop.register(stream.rawValue, unsent.isEmpty ? .readable : .writable) { [weak self] _ in
            guard let self else { return }
            guard unsent.isEmpty else {
                if case .done(let count)? = try? stream.send(unsent) { unsent = unsent.dropFirst(count) }
                if unsent.isEmpty, let registration { try? loop.modify(registration, .readable) }
                return
            }
            receive()
        }
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            guard case .done(let count)? = try? stream.receive(into: buffer), count > 0 else {
                isClosed = true
                if let registration { loop.unregister(registration) }
                registration = nil
                return
            }
            answer += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
