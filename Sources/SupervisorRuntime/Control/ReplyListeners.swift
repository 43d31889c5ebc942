import ControlProtocol

/// Clients that hear how something goes on, until its end.
struct ReplyListeners {
    private struct Listener {
        weak var connection: ControlConnection?
    }

    private var listeners: [Listener] = []

    /// Nothing more is read of it until it has heard the end.
    mutating func add(_ connection: ControlConnection) {
        connection.deferReply()
        listeners.removeAll { $0.connection == nil }
        listeners.append(Listener(connection: connection))
    }

    /// - Parameter reply: the end, unless others follow it. Who does not read gets no others than that.
    mutating func send(_ reply: VarlinkReply) {
        for connection in listeners.compactMap(\.connection) where !reply.continues || !connection.isCongested {
            connection.send(reply)
        }
        if !reply.continues { listeners = [] }
    }
}
