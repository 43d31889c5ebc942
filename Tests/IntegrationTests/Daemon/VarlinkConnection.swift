import ControlProtocol
import LinuxSystem
import MonotonicTime

/// A blocking client of the control socket, with a limit on every wait.
final class VarlinkConnection {
    struct Closed: Error {}
    struct TimedOut: Error {}
    struct Refused: Error, CustomStringConvertible {
        let reply: VarlinkReply
        var description: String { "\(reply.error ?? "") \(reply.parameters)" }
    }

    let stream: UnixStream
    private var framer = MessageFramer(maximumMessageBytes: 16 * 1024 * 1024)

    init(to path: String) throws {
        stream = try UnixStream.connect(to: path)
    }

    /// One call, one reply; throws `Refused` for an error reply.
    func call(_ call: VarlinkCall, within limit: Duration = .seconds(10)) throws -> VarlinkReply {
        try send(MessageFramer.frame(call.json), within: limit)
        let reply = try receive(within: limit)
        if reply.error != nil { throw Refused(reply: reply) }
        return reply
    }

    func send(_ bytes: [UInt8], within limit: Duration = .seconds(10)) throws {
        let deadline = MonotonicClock.now() + limit
        var rest = bytes[...]
        while !rest.isEmpty {
            switch try stream.send(Array(rest)) {
            case .done(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try wait(for: .writable, until: deadline)
            }
        }
    }

    /// The next reply.
    func receive(within limit: Duration = .seconds(10)) throws -> VarlinkReply {
        let deadline = MonotonicClock.now() + limit
        while true {
            if let message = try framer.next() {
                return try VarlinkReply(json: try JSONValue.parse(message, limits: .reply))
            }
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            let result = try buffer.withUnsafeMutableBytes { try stream.receive(into: $0) }
            switch result {
            case .done(let message):
                guard message.count > 0 else { throw Closed() }
                try framer.append(Array(buffer[..<message.count]))
            case .wouldBlock: try wait(for: .readable, until: deadline)
            }
        }
    }

    private func wait(for interest: EventLoop.Interest, until deadline: MonotonicInstant) throws {
        let left = MonotonicClock.now().duration(to: deadline)
        guard left > .zero, try SystemCall.wait(for: stream.rawValue, interest, timeout: left) else {
            throw TimedOut()
        }
    }
}
