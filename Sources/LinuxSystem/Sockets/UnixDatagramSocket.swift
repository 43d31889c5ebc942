import CLinux
import Glibc

/// A datagram socket at a path; non-blocking. The path is removed with the socket.
package final class UnixDatagramSocket {
    private let bound: BoundPath
    private let socket: Descriptor

    package var path: String { bound.path }

    /// The descriptor to register with an event loop.
    package var rawValue: Int32 { socket.rawValue }

    /// Binds to `path`, replacing a left-over socket. With `passCredentials` each message tells its sender.
    package init(
        path: String, permissions: UInt32 = 0o600, uid: UInt32? = nil, gid: UInt32? = nil,
        passCredentials: Bool = false
    ) throws(SystemError) {
        socket = try SystemCall.makeSocket(Int32(hf_sock_dgram))
        // Before the bind: no message may arrive without its sender.
        if passCredentials { try SystemCall.setOption(socket.rawValue, SO_PASSCRED, 1) }
        bound = try BoundPath(binding: socket.rawValue, to: path)
        try SystemCall.changeMode(of: path, to: permissions)
        if uid != nil || gid != nil { try SystemCall.changeOwner(of: path, uid: uid, gid: gid) }
    }

    /// Takes over the socket that a predecessor bound to `path`, with what waits in it; `nil` when it is none, or its
    /// path leads elsewhere by now.
    package init?(adopting socket: consuming Descriptor, at path: String) {
        guard let bound = BoundPath(of: socket.rawValue, at: path) else { return nil }
        self.socket = socket
        self.bound = bound
    }

    /// A socket without a path of its own, to send from.
    static func makeUnbound() throws(SystemError) -> Descriptor {
        try SystemCall.makeSocket(Int32(hf_sock_dgram))
    }

    package func receive(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> IOResult<ReceivedMessage> {
        try SystemCall.receive(socket.rawValue, into: buffer)
    }

    /// Sends one datagram to the socket at `path` from a socket of its own; would-block when its queue is full.
    package static func send(
        _ bytes: [UInt8], descriptors: [Int32] = [], to path: String
    ) throws(SystemError) -> IOResult<Int> {
        let socket = try SystemCall.makeSocket(Int32(hf_sock_dgram))
        return try SystemCall.send(socket.rawValue, bytes, descriptors: descriptors, to: path)
    }
}
