import Glibc
import HoldfastPlugin

/// HTTP/1.1 to a worker on this machine: one request a connection.
struct LoopbackHTTP {
    struct Answer {
        var status: Int
        var body: String
    }

    private let port: UInt16
    private let isIPv6: Bool
    private let host: Host

    private static let longestAnswer = 1 << 20
    /// How often it is looked whether the command was cancelled, in milliseconds.
    private static let slice: Int32 = 200

    /// - Parameter url: such as `http://127.0.0.1:8700`; no other machine is spoken with.
    init(_ url: String, host: Host) throws {
        let places = [("http://127.0.0.1:", false), ("http://localhost:", false), ("http://[::1]:", true)]
        guard let place = places.first(where: { url.hasPrefix($0.0) }),
            let port = UInt16(url.dropFirst(place.0.count).filter { $0 != "/" }), port > 0
        else { throw PluginFailure("\(url) is not of the form http://127.0.0.1:PORT") }
        self.port = port
        isIPv6 = place.1
        self.host = host
    }

    /// - Parameters:
    ///   - within: for all of it.
    ///   - isLastWord: goes on also when the command was cancelled.
    func send(
        _ method: String, _ path: String, _ body: JSON? = nil, within: Duration, isLastWord: Bool = false
    ) throws -> Answer {
        let end = ContinuousClock.now + within
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
        guard socket >= 0 else { throw failure("no socket") }
        defer { close(socket) }
        try connect(socket)
        let content = body?.text ?? ""
        let head = [
            "\(method) \(path) HTTP/1.1", "Host: localhost:\(port)", "Connection: close",
            "Content-Type: application/json", "Content-Length: \(content.utf8.count)", "", "",
        ]
        var rest = Array((head.joined(separator: "\r\n") + content).utf8)[...]
        while !rest.isEmpty {
            try wait(socket, POLLOUT, until: end, isLastWord)
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { throw failure("it has not taken \(method) \(path)") }
            rest = rest.dropFirst(count)
        }
        return try parse(try read(socket, until: end, isLastWord), "\(method) \(path)")
    }

    private func connect(_ socket: Int32) throws {
        var result: Int32
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        guard result == 0 || errno == EINPROGRESS else { throw failure("it does not answer at port \(port)") }
    }

    private func wait(_ socket: Int32, _ event: Int32, until end: ContinuousClock.Instant, _ isLastWord: Bool) throws {
        while true {
            if !isLastWord { try host.checkCancellation() }
            guard ContinuousClock.now < end else { throw PluginFailure("the worker has not answered in its time") }
            var request = pollfd(fd: socket, events: Int16(event), revents: 0)
            if poll(&request, 1, Self.slice) > 0 { return }
        }
    }

    private func read(_ socket: Int32, until end: ContinuousClock.Instant, _ isLastWord: Bool) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= Self.longestAnswer {
            try wait(socket, POLLIN, until: end, isLastWord)
            let count = piece.withUnsafeMutableBytes { Glibc.recv(socket, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count >= 0 else { throw failure("it does not answer at port \(port)") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
        throw PluginFailure("the worker answers with more than \(Self.longestAnswer) bytes")
    }

    private func parse(_ bytes: [UInt8], _ request: String) throws -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
        guard line.count >= 2, line[0].hasPrefix("HTTP/1."), let status = Int(line[1]) else {
            throw PluginFailure("the worker has broken off, or does not speak HTTP (\(request))")
        }
        var body = ""
        var hasHead = false
        for part in text.split(separator: "\r\n", omittingEmptySubsequences: false) {
            if hasHead { body += body.isEmpty ? part : "\r\n" + part } else if part.isEmpty { hasHead = true }
        }
        return Answer(status: status, body: body)
    }

    private func failure(_ words: String) -> PluginFailure {
        PluginFailure("the worker cannot be spoken with: \(words) (\(String(cString: strerror(errno))))")
    }
}
