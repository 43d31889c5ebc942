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
    private var open: [(onUpdate: (JSONObject) -> Void, answer: Answer)] = []
    private var problem: String?

    init(loop: EventLoop, socket: consuming Descriptor) throws(SystemError) {
        try SystemCall.setNonBlocking(socket.rawValue)
        stream = try VarlinkStream(loop: loop, stream: UnixStream(owning: socket))
        stream.onReply = { [weak self] in self?.take($0) }
        stream.onClosed = { [weak self] in self?.close($0) }
    }

    /// - Parameter method: without the interface's name.
    func ask(_ method: String, _ parameters: JSONObject, _ answer: @escaping Answer) {
        send(VarlinkCall(method: "\(RuntimeInterface.name).\(method)", parameters: parameters), answer) { _ in }
    }

    /// Asks for something that takes a while.
    /// - Parameter onUpdate: called with each reply but the last, which is the answer.
    func follow(_ method: RuntimeMethod, onUpdate: @escaping (JSONObject) -> Void, _ answer: @escaping Answer) {
        send(method.call, answer, onUpdate)
    }

    private func send(_ call: VarlinkCall, _ answer: @escaping Answer, _ onUpdate: @escaping (JSONObject) -> Void) {
        if let problem { return answer(.failure(PluginRefusal(.failed, problem))) }
        open.append((onUpdate, answer))
        stream.send(call)
    }

    private func take(_ reply: VarlinkReply) {
        guard let first = open.first else { return }
        guard !reply.continues else { return first.onUpdate(reply.parameters) }
        let answer = open.removeFirst().answer
        guard let error = reply.error else { return answer(.success(PluginAnswer(.object(reply.parameters)))) }
        let message = reply.parameters["message"]?.stringValue
        let isRefused = error == "\(RuntimeInterface.name).NotPermitted"
        answer(.failure(PluginRefusal(isRefused ? .notGranted : .failed, message ?? "the runtime answers \(error)")))
    }

    private func close(_ reason: String) {
        problem = reason
        let all = open
        open = []
        for call in all { call.answer(.failure(PluginRefusal(.failed, reason))) }
    }
}
