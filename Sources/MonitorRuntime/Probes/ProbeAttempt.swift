import LinuxSystem
import MonitorProtocol

/// One probe under way: a connection, and for http a GET of HTTP/1.0 (RFC 1945) with its answer. Gone with its last
/// reference, whatever it is at.
final class ProbeAttempt {
    private let loop: EventLoop
    private let probe: NetworkProbe
    private var stream: LoopbackStream?
    private var registration: EventLoop.Registration?
    private var unsent: ArraySlice<UInt8> = []
    private var judge: HTTPAnswerJudge?

    /// Called once, with what is wrong; `nil` for a success. May come during `start`.
    var onEnd: (_ failure: String?) -> Void = { _ in }

    private static let bufferBytes = 4096
    /// Buffers read at a time: a server that floods us does not keep the others waiting.
    private static let readsPerTurn = 4

    init(_ probe: NetworkProbe, loop: EventLoop) {
        self.probe = probe
        self.loop = loop
    }

    deinit { close() }

    func start() {
        do throws(SystemError) {
            if case .http(let path, let statuses, let text) = probe.kind {
                guard let request = ProbeAttempt.request(path, of: place) else {
                    return end("\(path) is no path for http")
                }
                unsent = request[...]
                judge = HTTPAnswerJudge(subject: "GET http://\(place)\(path)", statuses: statuses, bodyContains: text)
            }
            let stream = try LoopbackStream.connect(to: probe.address, port: probe.port)
            self.stream = stream
            registration = try loop.register(stream.rawValue, .writable) { [weak self] in self?.handle($0) }
        } catch {
            end("\(place): \(error.message)")
        }
    }

    private var place: String {
        probe.address.contains(":") ? "[\(probe.address)]:\(probe.port)" : "\(probe.address):\(probe.port)"
    }

    private func handle(_ readiness: EventLoop.Readiness) {
        guard let stream else { return }
        if readiness.contains(.writable) || readiness.contains(.error), let error = stream.connectionError {
            return end("\(place): \(error.message)")
        }
        guard judge != nil else { return end(nil) }
        do throws(SystemError) {
            if !unsent.isEmpty {
                try send(stream)
            } else {
                try receive(stream)
            }
        } catch {
            end("\(place): \(error.message)")
        }
    }

    private func send(_ stream: LoopbackStream) throws(SystemError) {
        guard case .done(let count) = try stream.send(unsent) else { return }
        unsent = unsent.dropFirst(count)
        if unsent.isEmpty, let registration { try loop.modify(registration, .readable) }
    }

    private func receive(_ stream: LoopbackStream) throws(SystemError) {
        try withUnsafeTemporaryAllocation(byteCount: ProbeAttempt.bufferBytes, alignment: 1) {
            (buffer) throws(SystemError) in
            for _ in 0..<ProbeAttempt.readsPerTurn {
                guard case .done(let count) = try stream.receive(into: buffer) else { return }
                let verdict = judge?.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                switch verdict {
                case .undecided: continue
                case .success, nil: return end(nil)
                case .failure(let failure): return end(failure)
                }
            }
        }
    }

    private func end(_ failure: String?) {
        close()
        onEnd(failure)
    }

    private func close() {
        if let registration { loop.unregister(registration) }
        (registration, stream) = (nil, nil)
    }

    /// `nil` for a path that would make it another request.
    static func request(_ path: String, of host: String) -> [UInt8]? {
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        let lines = [
            "GET \(path) HTTP/1.0", "Host: \(host)", "User-Agent: holdfast-monitor", "Connection: close", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
