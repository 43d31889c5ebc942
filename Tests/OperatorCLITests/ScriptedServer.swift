import ControlProtocol
import Foundation
import LinuxSystem
import Synchronization

/// A control socket whose answers are scripted: what it sends is bytes, so that it can misbehave. Serves one connection
/// after the other, each on the server's own thread, until it is stopped.
final class ScriptedServer: Sendable {
    /// What to do with a call.
    enum Reaction: Sendable {
        case reply([VarlinkReply])
        /// Send the bytes, and go on with the next call.
        case send([UInt8])
        /// Send the bytes, and close the connection.
        case sendAndClose([UInt8])
        /// Send the bytes, and nothing more until the client has gone.
        case sendAndHang([UInt8])
    }

    /// How long anything may take before a broken test ends by itself.
    private static let limit = Duration.seconds(30)

    let path: String
    private let received = Mutex<[VarlinkCall]>([])
    private let stopping: Mutex<Bool> = Mutex(false)
    private let react: @Sendable (VarlinkCall) -> Reaction

    var calls: [VarlinkCall] { received.withLock { $0 } }

    init(_ react: @escaping @Sendable (VarlinkCall) -> Reaction) throws {
        path = FileManager.default.temporaryDirectory.path + "/hf-cli-\(UUID().uuidString.prefix(8)).sock"
        self.react = react
        let path = path
        let isListening = DispatchSemaphore(value: 0)
        let failure = Mutex<(any Error)?>(nil)
        Thread { [self] in
            do {
                let listener = try UnixListener(path: path)
                isListening.signal()
                serve(listener)
            } catch {
                failure.withLock { $0 = error }
                isListening.signal()
            }
        }.start()
        isListening.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Serves the status given, and refuses everything else.
    convenience init(status: StatusReport) throws {
        try self.init { call in
            switch try? ControlRequest(call) {
            case .runtime(.status): .reply([VarlinkReply(status)])
            default: .reply([VarlinkServiceError.methodNotFound(call.method).reply])
            }
        }
    }

    /// Ends the server's thread: a last connection wakes it.
    func stop() {
        stopping.withLock { $0 = true }
        _ = try? UnixStream.connect(to: path)
    }

    private func serve(_ listener: UnixListener) {
        while !stopping.withLock({ $0 }) {
            guard (try? SystemCall.wait(for: listener.rawValue, .readable, timeout: Self.limit)) == true else { return }
            if let stream = try? listener.accept() { serve(stream) }
        }
    }

    private func serve(_ stream: UnixStream) {
        var framer = MessageFramer()
        while let bytes = receive(stream) {
            guard (try? framer.append(bytes)) != nil else { return }
            while let message = try? framer.next() {
                guard let call = try? VarlinkCall(json: JSONValue.parse(message)) else { return }
                received.withLock { $0.append(call) }
                guard perform(react(call), on: stream) else { return }
            }
        }
    }

    /// - Returns: whether the connection goes on.
    private func perform(_ reaction: Reaction, on stream: UnixStream) -> Bool {
        switch reaction {
        case .reply(let replies): return send(replies.flatMap { MessageFramer.frame($0) }, to: stream)
        case .send(let bytes): return send(bytes, to: stream)
        case .sendAndClose(let bytes):
            _ = send(bytes, to: stream)
            return false
        case .sendAndHang(let bytes):
            _ = send(bytes, to: stream)
            while receive(stream) != nil {}
            return false
        }
    }

    private func send(_ bytes: [UInt8], to stream: UnixStream) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch try? stream.send(Array(rest)) {
            case .done(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                guard (try? SystemCall.wait(for: stream.rawValue, .writable, timeout: Self.limit)) == true else {
                    return false
                }
            case nil: return false
            }
        }
        return true
    }

    /// `nil` when the client has gone.
    private func receive(_ stream: UnixStream) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard (try? SystemCall.wait(for: stream.rawValue, .readable, timeout: Self.limit)) == true,
            let count = try? buffer.withUnsafeMutableBytes({ try stream.receive(into: $0).value?.count }), count > 0
        else { return nil }
        return Array(buffer[..<count])
    }
}

/// Counts across threads, from 1.
final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}
