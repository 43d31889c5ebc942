import ControlProtocol
import LinuxSystem
import MonotonicTime

/// A connection to the runtime's control socket. Calls block until they are answered, fail, or time out; a runtime that
/// is hung, or is no runtime, costs a caller `timeout` at most.
final class ControlClient {
    static let defaultPath = "/run/holdfast/control.sock"
    static let defaultTimeout = Duration.seconds(10)

    let path: String
    private let timeout: Duration
    private let stream: UnixStream
    private var framer = MessageFramer(maximumMessageBytes: JSONLimits.reply.maximumBytes)
    private var chunk = [UInt8](repeating: 0, count: 64 * 1024)

    /// Connects.
    /// - Parameter timeout: for the connection, and for each reply of each call.
    init(path: String, timeout: Duration = ControlClient.defaultTimeout) throws(ClientError) {
        self.path = path
        self.timeout = timeout
        do throws(SystemError) {
            stream = try UnixStream.connect(to: path, timeout: timeout)
        } catch {
            throw ClientError(connectingTo: path, within: timeout, error)
        }
    }

    /// The parameters of the one reply to a method that is no stream.
    func call(_ method: RuntimeMethod) throws(ClientError) -> JSONValue {
        try send(method.call)
        return try receive(within: timeout).parameters.json
    }

    /// The reply to a method, as its type.
    func call<Reply: JSONConvertible>(
        _ method: RuntimeMethod, as reply: Reply.Type
    ) throws(ClientError) -> Reply {
        try decode(try call(method), as: reply)
    }

    func status() throws(ClientError) -> StatusReport {
        try call(.status, as: StatusReport.self)
    }

    /// `nil` when the runtime does not tell: no monitor runs, or it is older than the method.
    func healthIfKnown() throws(ClientError) -> HealthReport? {
        do throws(ClientError) {
            return try call(.health, as: HealthReport.self)
        } catch {
            switch error {
            case .refused, .rejected, .unknown, .disconnected: return nil
            default: throw error
            }
        }
    }

    /// Calls a method with several replies, and hands over each as it comes until the last.
    /// - Parameter waitsForEver: for a stream that follows: the next reply may come tomorrow.
    func stream<Reply: JSONConvertible>(
        _ method: RuntimeMethod, as type: Reply.Type, waitsForEver: Bool, _ handle: (Reply) throws -> Void
    ) throws {
        try send(method.call)
        var continues = true
        while continues {
            let reply = try receive(within: waitsForEver ? nil : timeout)
            try handle(try decode(reply.parameters.json, as: type))
            continues = reply.continues
        }
    }

    /// Reads a reply as its type.
    func decode<Reply: JSONConvertible>(_ json: JSONValue, as type: Reply.Type) throws(ClientError) -> Reply {
        do {
            return try Reply(json: json)
        } catch {
            throw .malformed(path: path, reason: error.description)
        }
    }

    // MARK: The wire

    private func send(_ call: VarlinkCall) throws(ClientError) {
        let deadline = MonotonicClock.now().advanced(by: timeout)
        var rest = MessageFramer.frame(call)[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                if let count = try stream.send(Array(rest)).value {
                    rest = rest.dropFirst(count)
                    continue
                }
            } catch {
                // A runtime that refuses a client says why and closes: what it said is still to be read.
                if error.isBrokenPipe { return }
                throw .system(error)
            }
            try wait(.writable, until: deadline)
        }
    }

    /// The next reply. Bytes that trickle in do not extend the time.
    private func receive(within limit: Duration?) throws(ClientError) -> VarlinkReply {
        let deadline = limit.map { MonotonicClock.now().advanced(by: $0) }
        while true {
            if let message = try nextMessage() { return try parse(message) }
            guard let count = try receiveChunk() else {
                try wait(.readable, until: deadline)
                continue
            }
            guard count > 0 else { throw .disconnected(path: path) }
            do {
                try chunk.withUnsafeBytes { try framer.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } catch {
                throw .malformed(path: path, reason: "\(error)")
            }
        }
    }

    /// How many bytes came, 0 at the end of the connection, `nil` when none are there yet.
    private func receiveChunk() throws(ClientError) -> Int? {
        do {
            return try chunk.withUnsafeMutableBytes { try stream.receive(into: $0).value?.count }
        } catch let error as SystemError where !error.isBrokenPipe {
            throw .system(error)
        } catch {
            throw .disconnected(path: path)
        }
    }

    private func nextMessage() throws(ClientError) -> [UInt8]? {
        do {
            return try framer.next()
        } catch {
            throw .malformed(path: path, reason: error.description)
        }
    }

    private func parse(_ message: [UInt8]) throws(ClientError) -> VarlinkReply {
        let reply: VarlinkReply
        do {
            reply = try VarlinkReply(json: JSONValue.parse(message, limits: .reply))
        } catch {
            throw .malformed(path: path, reason: error.description)
        }
        guard let name = reply.error else { return reply }
        if let error = RuntimeError(reply) { throw .refused(error) }
        if let error = VarlinkServiceError(reply) { throw .rejected(error) }
        throw .unknown(name: name)
    }

    private func wait(_ interest: EventLoop.Interest, until deadline: MonotonicInstant?) throws(ClientError) {
        let remaining = deadline.map { MonotonicClock.now().duration(to: $0) }
        let isReady: Bool
        do {
            isReady =
                try remaining.map { $0 <= .zero } != true
                && SystemCall.wait(for: stream.rawValue, interest, timeout: remaining)
        } catch {
            throw (error as? SystemError).map(ClientError.system) ?? .disconnected(path: path)
        }
        guard isReady else { throw .timedOut(path: path, after: timeout) }
    }
}

extension ClientError {
    /// What a failed connect(2) means for the operator.
    fileprivate init(connectingTo path: String, within timeout: Duration, _ error: SystemError) {
        if error.isNotFound || error.isConnectionRefused || error.isNotDirectory {
            self = .unreachable(path: path)
        } else if error.isPermissionDenied {
            self = .connectionNotPermitted(path: path)
        } else if error.isWouldBlock {
            self = .timedOut(path: path, after: timeout)
        } else {
            self = .system(error)
        }
    }
}
