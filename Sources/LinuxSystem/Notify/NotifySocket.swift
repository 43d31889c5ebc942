/// One message of a worker.
package struct NotifyMessage {
    /// In the order of the message. Empty when nothing in it concerns us.
    package var fields: [NotifyField]
    /// Who sent it, by the kernel's word. It may have ended already.
    package var sender: PeerCredentials
    /// Passed descriptors. They are closed with the message: keep it until all fields are handled, and a `BARRIER=1` is
    /// answered by that, for the messages before it have been handled before it.
    package var descriptors: [SharedDescriptor]
    /// Longer than `NotifySocket.maximumMessageBytes`: ignored, without fields.
    package var isOversized: Bool
}

/// The socket that a worker finds in `NOTIFY_SOCKET`. Every worker has its own: the socket tells which worker is meant,
/// the sender's credentials whether it may speak for it.
package final class NotifySocket {
    /// As in systemd (`NOTIFY_BUFFER_MAX`).
    package static let maximumMessageBytes = 4096

    private let socket: UnixDatagramSocket

    package var path: String { socket.path }

    /// Readable when there is a message.
    package var rawValue: Int32 { socket.rawValue }

    /// Binds the socket. Writable for all unless told otherwise: daemons that are started as root and change to a user
    /// of their own have to reach it too, and what strangers send is refused by the sender check.
    package init(
        path: String, uid: UInt32? = nil, gid: UInt32? = nil, permissions: UInt32 = 0o666
    ) throws(SystemError) {
        socket = try UnixDatagramSocket(
            path: path, permissions: permissions, uid: uid, gid: gid, passCredentials: true)
    }

    /// Takes over the socket of a predecessor, with the messages that came meanwhile.
    package init?(adopting descriptor: consuming Descriptor, at path: String) {
        guard let socket = UnixDatagramSocket(adopting: descriptor, at: path) else { return nil }
        self.socket = socket
    }

    /// The next message; `nil` when there is none. A caller that reads several in a row sets itself a limit: a worker
    /// that sends without pause must not keep the loop.
    package func receive() throws(SystemError) -> NotifyMessage? {
        // On the stack: a buffer for each worker would be half of what a worker costs.
        try withUnsafeTemporaryAllocation(byteCount: NotifySocket.maximumMessageBytes, alignment: 16) {
            (buffer) throws(SystemError) -> NotifyMessage? in
            guard let message = try socket.receive(into: buffer).value else { return nil }
            // The kernel adds it to every message on a socket with SO_PASSCRED.
            let sender = message.credentials ?? PeerCredentials(pid: 0, uid: .max, gid: .max)
            let fields = message.isTruncated ? [] : NotifyField.parse(buffer.prefix(message.count))
            return NotifyMessage(
                fields: fields, sender: sender, descriptors: message.descriptors, isOversized: message.isTruncated)
        }
    }
}
