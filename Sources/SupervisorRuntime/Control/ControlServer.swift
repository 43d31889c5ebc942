import ControlProtocol
import LinuxSystem

/// The control socket: accepts clients, judges their rights, and hands their calls to the runtime.
final class ControlServer {
    private let loop: EventLoop
    private let listener: UnixListener
    private let version: String
    private let readingGroup: UInt32?
    private var registration: EventLoop.Registration?
    private var connections: [Int: ControlConnection] = [:]
    private var lastID = 0

    /// Called with each permitted call of the runtime's interface.
    var onMethod: (RuntimeMethod, ControlConnection) -> Void = { _, _ in }

    static let mostConnections = 64

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

    func eventAppended() {
        for connection in connections.values { connection.eventAppended() }
    }

    /// Ends every connection and takes no new ones.
    func close() {
        if let registration { loop.unregister(registration) }
        registration = nil
        for connection in Array(connections.values) { connection.close() }
    }

    private func accept() {
        while let stream = try? listener.accept() {
            lastID += 1
            let connection = ControlConnection(
                id: lastID, stream: stream, rights: ControlRights(of: stream, readingGroup: readingGroup), loop: loop)
            guard connections.count < Self.mostConnections else {
                connection.send(RuntimeError.unavailable(message: "too many clients; close some and try again").reply)
                connection.close()
                continue
            }
            connection.onCall = { [weak self] call, connection in self?.handle(call, connection) }
            connection.onClose = { [weak self] connection in self?.connections[connection.id] = nil }
            connections[connection.id] = connection
            do { try connection.start() } catch { connection.close() }
        }
    }

    private func handle(_ call: VarlinkCall, _ connection: ControlConnection) {
        do throws(VarlinkServiceError) {
            switch try ControlRequest(call) {
            case .service(let method):
                connection.send(method.reply(version: version))
            case .runtime(let method):
                switch (connection.rights, method.changesState) {
                case (.change, _), (.read, false): onMethod(method, connection)
                case (.read, true), (.none, _):
                    let message = "changes are for root and the user who runs the runtime"
                    connection.send(RuntimeError.notPermitted(message: message).reply)
                }
            }
        } catch {
            connection.send(error.reply)
        }
    }
}
