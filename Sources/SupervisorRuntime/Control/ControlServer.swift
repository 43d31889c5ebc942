import ControlProtocol
import LinuxSystem
import MonotonicTime

/// The control socket: accepts clients, judges their rights, and hands their calls to the runtime.
final class ControlServer {
    private let loop: EventLoop
    private let listener: UnixListener
    private let version: String
    private let readingGroup: UInt32?
    private var registration: EventLoop.Registration?
    private var connections: [Int: ControlConnection] = [:]
    private var lastID = 0
    private var retry: TimerID?

    /// Called with each permitted call of the runtime's interface.
    var onMethod: (RuntimeMethod, ControlConnection) -> Void = { _, _ in }

    static let mostConnections = 64
    /// How long clients wait when there was no descriptor for them.
    private static let retryPause: Duration = .milliseconds(500)

    /// - Parameter readingGroup: members may connect and read; `nil`: only root and the runtime's own user may connect.
    init(path: String, readingGroup: UInt32?, version: String, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        self.version = version
        self.readingGroup = readingGroup
        // The kernel keeps strangers from connecting; what each client may do is judged by its credentials.
        listener = try UnixListener(
            path: path, permissions: readingGroup == nil ? 0o600 : 0o660, gid: readingGroup)
        registration = try loop.register(listener.rawValue, .readable) { [weak self] _ in self?.accept() }
    }

    deinit {
        if let retry { loop.cancel(retry) }
        if let registration { loop.unregister(registration) }
    }

    func eventAppended() {
        for connection in connections.values { connection.eventAppended() }
    }

    /// Ends every connection and takes no new ones.
    func close() {
        if let retry { loop.cancel(retry) }
        if let registration { loop.unregister(registration) }
        (retry, registration) = (nil, nil)
        for connection in Array(connections.values) { connection.close() }
    }

    private func accept() {
        do throws(SystemError) {
            while let stream = try listener.accept() { take(stream) }
        } catch {
            pause()
        }
    }

    /// EMFILE, ENFILE, ENOMEM: the client stays in the queue, and the listener readable, until there is room for it. To
    /// be told so again and again would cost a processor core.
    private func pause() {
        guard let registration else { return }
        try? loop.modify(registration, [])
        retry = loop.schedule(at: loop.now + Self.retryPause) { [weak self] in
            guard let self, let registration = self.registration else { return }
            retry = nil
            try? loop.modify(registration, .readable)
        }
    }

    private func take(_ stream: UnixStream) {
        let rights = ControlRights(of: stream, readingGroup: readingGroup)
        let connection = makeConnection(stream, rights)
        guard makeRoom(for: rights) else {
            connection.send(RuntimeError.unavailable(message: "too many clients; close some and try again").reply)
            return connection.close()
        }
        do throws(SystemError) { try begin(connection) } catch { connection.close() }
    }

    /// Serves one of Holdfast's own processes, which no crowd of clients can displace.
    /// - Parameters:
    ///   - methods: all that it may call.
    ///   - most: connections with these rights.
    func serve(
        _ stream: UnixStream, only methods: Set<RuntimeMethod.Name>, atMost most: Int
    ) throws(SystemError) {
        let rights = ControlRights.only(methods)
        guard connections.values.count(where: { $0.rights == rights }) < most else {
            throw SystemError(call: "connect", errno: SystemError.tooManyUsers)
        }
        try begin(makeConnection(stream, rights))
    }

    private func makeConnection(_ stream: UnixStream, _ rights: ControlRights) -> ControlConnection {
        lastID += 1
        return ControlConnection(id: lastID, stream: stream, rights: rights, loop: loop)
    }

    private func begin(_ connection: ControlConnection) throws(SystemError) {
        connection.onCall = { [weak self] call, connection in self?.handle(call, connection) }
        connection.onClose = { [weak self] connection in self?.connections[connection.id] = nil }
        connections[connection.id] = connection
        do throws(SystemError) {
            try connection.start()
        } catch {
            connection.close()
            throw error
        }
    }

    /// Whoever connects and says nothing must not keep others out: when all places are taken, the connection goes that
    /// has been idle for longest; and who may change things takes the place of one who may only read.
    private func makeRoom(for rights: ControlRights) -> Bool {
        let clients = connections.values.filter { if case .only = $0.rights { false } else { true } }
        guard clients.count >= Self.mostConnections else { return true }
        let byAge = clients.sorted { $0.lastCall < $1.lastCall }
        let leaver = byAge.first { !$0.isBusy } ?? (rights == .change ? byAge.first { $0.rights != .change } : nil)
        leaver?.close()
        return leaver != nil
    }

    private func handle(_ call: VarlinkCall, _ connection: ControlConnection) {
        do throws(VarlinkServiceError) {
            switch try ControlRequest(call) {
            case .service(let method):
                connection.send(method.reply(version: version))
            case .runtime(let method):
                guard connection.rights.permits(method) else {
                    let message =
                        if case .only = connection.rights {
                            "\(method.name.rawValue) is nothing that this process may do"
                        } else {
                            "changes are for root and the user who runs the runtime"
                        }
                    return connection.send(RuntimeError.notPermitted(message: message).reply)
                }
                onMethod(method, connection)
            }
        } catch {
            connection.send(error.reply)
        }
    }
}
