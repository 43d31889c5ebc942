import CLinux
import Glibc

/// A listening stream socket at a path; non-blocking. The path is removed with it.
package final class UnixListener {
    private let bound: BoundPath
    private let socket: Descriptor

    package var path: String { bound.path }

    /// The descriptor to register with an event loop.
    package var rawValue: Int32 { socket.rawValue }

    /// Binds to `path`, replacing a left-over socket: the caller holds the lock of the runtime directory.
    package init(
        path: String, permissions: UInt32 = 0o600, uid: UInt32? = nil, gid: UInt32? = nil, backlog: Int32 = 1024
    ) throws(SystemError) {
        socket = try SystemCall.makeSocket(Int32(hf_sock_stream))
        bound = try BoundPath(binding: socket.rawValue, to: path)
        if uid != nil || gid != nil { try SystemCall.changeOwner(of: path, uid: uid, gid: gid) }
        try SystemCall.changeMode(of: path, to: permissions)
        // Only now: nobody connects before the permissions are right.
        let socket = socket.rawValue
        try SystemCall.perform("listen", path) { listen(socket, backlog) }
    }

    /// The next waiting connection, or `nil` when there is none. One that broke off meanwhile is skipped.
    package func accept() throws(SystemError) -> UnixStream? {
        let listening = socket.rawValue
        while true {
            do throws(SystemError) {
                let descriptor = try SystemCall.perform("accept4") { hf_accept(listening) }
                return UnixStream(owning: Descriptor(owning: descriptor))
            } catch {
                switch error.errno {
                case EAGAIN: return nil
                case ECONNABORTED, EPROTO: continue
                default: throw error
                }
            }
        }
    }
}
