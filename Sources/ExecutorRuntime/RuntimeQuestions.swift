import ControlProtocol
import LinuxSystem
import PluginSession
import SystemProcess

/// What a plugin asks the runtime, over the connection that holdfastd has made for it: which methods it may call was decided
/// there.
final class RuntimeQuestions {
    typealias Answer = (Result<PluginAnswer, PluginRefusal>) -> Void

    private let stream: VarlinkStream
    /// Calls are answered in their order.
    private var open: [Answer] = []
    private var problem: String?

    init(loop: EventLoop, socket: consuming Descriptor) throws(SystemError) {
        try SystemCall.setNonBlocking(socket.rawValue)
        stream = try VarlinkStream(loop: loop, stream: UnixStream(owning: socket))
        stream.onReply = { [weak self] in self?.take($0) }
        stream.onClosed = { [weak self] in self?.close($0) }
    }

    /// - Parameter method: without the interface's name.
    func ask(_ method: String, _ parameters: JSONObject, _ answer: @escaping Answer) {
        if let problem { return answer(.failure(PluginRefusal(.failed, problem))) }
        open.append(answer)
        stream.send(VarlinkCall(method: "\(RuntimeInterface.name).\(method)", parameters: parameters))
    }

    private func take(_ reply: VarlinkReply) {
        // Streams are none of the methods that a plugin gets.
        guard !reply.continues, !open.isEmpty else { return }
        let answer = open.removeFirst()
        guard let error = reply.error else { return answer(.success(PluginAnswer(.object(reply.parameters)))) }
        let message = reply.parameters["message"]?.stringValue
        let isRefused = error == "\(RuntimeInterface.name).NotPermitted"
        answer(.failure(PluginRefusal(isRefused ? .notGranted : .failed, message ?? "the runtime answers \(error)")))
    }

    private func close(_ reason: String) {
        problem = reason
        let all = open
        open = []
        for answer in all { answer(.failure(PluginRefusal(.failed, reason))) }
    }
}
