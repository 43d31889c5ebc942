import LinuxSystem
import MonotonicTime

/// Answers `GET /metrics` on a port of the loopback interface: HTTP/1.0, one request a connection. What a client may take
/// is bounded in clients, bytes and time.
final class MetricsServer {
    static let mostClients = 8
    private static let patience: Duration = .seconds(5)

    private let loop: EventLoop
    private let listener: LoopbackListener
    private var registration: EventLoop.Registration?
    private var clients: [ObjectIdentifier: MetricsClient] = [:]
    private let text: () -> String

    /// - Parameter port: 0 for any that is free.
    init(loop: EventLoop, port: Int, text: @escaping () -> String) throws(SystemError) {
        self.loop = loop
        self.text = text
        askedPort = port
        listener = try LoopbackListener(port: port)
        registration = try loop.register(listener.rawValue, .readable) { [weak self] _ in self?.accept() }
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    /// As asked for.
    let askedPort: Int
    var port: Int { listener.port }
    var clientCount: Int { clients.count }

    private func accept() {
        while let stream = try? listener.accept() {
            // The oldest have had their time; whoever comes now would otherwise have to wait for them.
            guard clients.count < MetricsServer.mostClients else { continue }
            let client = MetricsClient(loop: loop, stream: stream, deadline: loop.now + MetricsServer.patience, text)
            clients[ObjectIdentifier(client)] = client
            client.onEnd = { [weak self, unowned client] in self?.clients[ObjectIdentifier(client)] = nil }
            client.start()
        }
    }
}

/// One connection.
private final class MetricsClient {
    private static let longestRequest = 8 * 1024

    private let loop: EventLoop
    private let stream: LoopbackStream
    private let text: () -> String
    private let deadline: MonotonicInstant
    private var registration: EventLoop.Registration?
    private var timer: TimerID?
    private var request: [UInt8] = []
    private var reply: ArraySlice<UInt8> = []

    var onEnd: () -> Void = {}

    init(loop: EventLoop, stream: LoopbackStream, deadline: MonotonicInstant, _ text: @escaping () -> String) {
        self.loop = loop
        self.stream = stream
        self.deadline = deadline
        self.text = text
    }

    deinit { close() }

    func start() {
        timer = loop.schedule(at: deadline) { [weak self] in self?.end() }
        registration = try? loop.register(stream.rawValue, .readable) { [weak self] in self?.handle($0) }
        if registration == nil { end() }
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        do throws(SystemError) {
            if reply.isEmpty { try receive() } else { try send() }
        } catch {
            end()
        }
    }

    private func receive() throws(SystemError) {
        let count = try withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 1) {
            (buffer) throws(SystemError) -> Int? in
            guard case .done(let count) = try stream.receive(into: buffer) else { return nil }
            request.append(contentsOf: buffer[..<count])
            return count
        }
        guard let count else { return }
        guard count > 0, request.count <= MetricsClient.longestRequest else { return end() }
        let isComplete = request.contains([13, 10, 13, 10]) || request.contains([10, 10])
        guard isComplete, let registration else { return }
        reply = answer()[...]
        try loop.modify(registration, .writable)
        try send()
    }

    private func send() throws(SystemError) {
        while !reply.isEmpty {
            guard case .done(let count) = try stream.send(reply) else { return }
            reply = reply.dropFirst(count)
        }
        end()
    }

    private func answer() -> [UInt8] {
        let fields = String(decoding: request.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self).split(separator: " ")
        guard fields.count == 3, fields[2].hasPrefix("HTTP/") else {
            return MetricsClient.reply("400 Bad Request", "this is no request of HTTP\n")
        }
        guard fields[0] == "GET" || fields[0] == "HEAD" else {
            return MetricsClient.reply("405 Method Not Allowed", "only GET is answered\n", "Allow: GET, HEAD\r\n")
        }
        guard fields[1] == "/metrics" || fields[1].hasPrefix("/metrics?") else {
            return MetricsClient.reply("404 Not Found", "only /metrics is here\n")
        }
        return MetricsClient.reply(
            "200 OK", text(), type: "text/plain; version=0.0.4; charset=utf-8", isHead: fields[0] == "HEAD")
    }

    private static func reply(
        _ status: String, _ body: String, _ more: String = "", type: String = "text/plain", isHead: Bool = false
    ) -> [UInt8] {
        let head =
            "HTTP/1.0 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\(more)"
            + "Connection: close\r\n\r\n"
        return Array(head.utf8) + (isHead ? [] : Array(body.utf8))
    }

    private func end() {
        close()
        onEnd()
    }

    private func close() {
        if let registration { loop.unregister(registration) }
        if let timer { loop.cancel(timer) }
        (registration, timer) = (nil, nil)
    }
}
