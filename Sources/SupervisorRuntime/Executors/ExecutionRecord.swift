import ControlProtocol

/// A command that somebody has asked for: under way, or kept with its end.
final class ExecutionRecord {
    let call: ExecutionCall
    var plugin = ""
    /// `nil` until it is started.
    var execution: Execution?
    var latest: ExecutionReply
    /// Why it is to end, when that was asked for before it was started.
    var cancellation: String?
    private var listeners = ReplyListeners()

    /// What is written of a kept end, in bytes.
    var size: Int { latest.json.serialised().count }

    init(_ call: ExecutionCall) {
        self.call = call
        latest = ExecutionReply(state: .queued, plugin: "")
    }

    /// Tells a client how it stands, and the rest as it comes.
    func attach(_ connection: ControlConnection) {
        guard !latest.isLast else { return connection.send(VarlinkReply(latest)) }
        listeners.add(connection)
        connection.send(VarlinkReply(latest, continues: true))
    }

    /// Says how it stands now.
    func tell(_ reply: ExecutionReply) {
        latest = reply
        send(reply)
    }

    /// Says something that is of no use later.
    func mention(_ reply: ExecutionReply) { send(reply) }

    private func send(_ reply: ExecutionReply) { listeners.send(VarlinkReply(reply, continues: !reply.isLast)) }
}
