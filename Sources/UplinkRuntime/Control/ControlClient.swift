import ControlProtocol
import LinuxSystem
import MonotonicTime
import SystemProcess

/// Calls methods of io.holdfast.Runtime, one after the other, each within its time.
final class ControlClient {
    struct Failure: Error, CustomStringConvertible {
        var description: String
        /// An error of Varlink's, such as `io.holdfast.Runtime.NoSuchWorker`.
        var error: String?
    }

    typealias Completion = (Result<[JSONObject], Failure>) -> Void

    private struct Call {
        var method: RuntimeMethod
        var timeout: Duration
        var completion: Completion
    }

    /// Of one call, together.
    private static let mostReplies = 10_000
    private static let mostWaiting = 64

    private let loop: EventLoop
    private let connections: ControlConnections
    private var stream: VarlinkStream?
    private var opening: Int?
    private var waiting: [Call] = []
    private var current: Call?
    private var replies: [JSONObject] = []
    private var timer: TimerID?

    init(loop: EventLoop, connections: ControlConnections) {
        self.loop = loop
        self.connections = connections
    }

    deinit {
        if let timer { loop.cancel(timer) }
    }

    /// - Parameter completion: with the parameters of each reply.
    func call(_ method: RuntimeMethod, timeout: Duration = .seconds(20), _ completion: @escaping Completion) {
        guard waiting.count < Self.mostWaiting else {
            return completion(.failure(Failure(description: "too many calls wait for holdfastd")))
        }
        waiting.append(Call(method: method, timeout: timeout, completion: completion))
        next()
    }

    private func next() {
        guard current == nil, !waiting.isEmpty else { return }
        let call = waiting.removeFirst()
        current = call
        replies = []
        timer = loop.schedule(at: loop.now + call.timeout) { [weak self] in
            guard let self else { return }
            timer = nil
            drop()
            finish(.failure(Failure(description: "holdfastd did not answer within \(call.timeout)")))
        }
        if let stream { return stream.send(call.method.call) }
        opening = connections.open { [weak self] in self?.connected($0) }
    }

    private func connected(_ socket: UnixStream) {
        opening = nil
        do throws(SystemError) {
            let stream = try VarlinkStream(loop: loop, stream: socket)
            stream.onReply = { [weak self] in self?.take($0) }
            stream.onClosed = { [weak self] reason in
                self?.drop()
                self?.finish(.failure(Failure(description: reason)))
            }
            self.stream = stream
            if let current { stream.send(current.method.call) }
        } catch {
            finish(.failure(Failure(description: "\(error)")))
        }
    }

    private func take(_ reply: VarlinkReply) {
        if let error = reply.error {
            return finish(.failure(Failure(description: Self.words(of: reply, error), error: error)))
        }
        if replies.count < Self.mostReplies { replies.append(reply.parameters) }
        if !reply.continues { finish(.success(replies)) }
    }

    /// For whoever has given the command.
    private static func words(of reply: VarlinkReply, _ error: String) -> String {
        switch RuntimeError(reply) {
        case .noSuchWorker(let name)?: "there is no worker '\(name)' on this device"
        case .configurationInvalid(let problems)?:
            "the configuration is invalid, and nothing was changed: \(problems.joined(separator: "; "))"
        case .notPermitted(let message)?, .outputUnavailable(let message)?, .monitorUnavailable(let message)?,
            .uplinkUnavailable(let message)?, .enrolmentRefused(let message)?, .upgradeRefused(let message)?,
            .executionRefused(let message)?, .deploymentRefused(let message)?, .unavailable(let message)?:
            message
        case .noSuchExecution(let id)?: "there is no command \(id) on this device, or nobody knows of it any more"
        case .noSuchDeployment(let id)?: "there is no deployment \(id) under way"
        case nil: "holdfastd has answered \(error)"
        }
    }

    private func finish(_ result: Result<[JSONObject], Failure>) {
        guard let call = current else { return }
        if let timer { loop.cancel(timer) }
        (timer, current, replies) = (nil, nil, [])
        // A stream may go on, and belongs to nobody then.
        if call.method.isStream { drop() }
        call.completion(result)
        next()
    }

    private func drop() {
        if let opening { connections.cancel(opening) }
        (stream, opening) = (nil, nil)
    }
}
