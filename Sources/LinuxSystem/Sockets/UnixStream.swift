import CLinux
import Glibc

/// A connected unix socket (stream or sequenced packets); non-blocking.
package final class UnixStream {
    private let socket: Descriptor

    /// The descriptor to register with an event loop, or to wait for with `SystemCall.wait`.
    package var rawValue: Int32 { socket.rawValue }

    /// Takes over a connected, non-blocking socket.
    package init(owning socket: consuming Descriptor) {
        self.socket = socket
    }

    /// Takes over the socket inherited at a descriptor number, such as 3; it becomes close-on-exec and non-blocking.
    package static func inherited(at number: Int32) throws(SystemError) -> UnixStream {
        guard SystemCall.isOpen(number) else { throw SystemError(call: "fcntl", errno: EBADF, subject: "fd \(number)") }
        try SystemCall.setCloseOnExec(number)
        try SystemCall.setNonBlocking(number)
        return UnixStream(owning: Descriptor(owning: number))
    }

    /// Connects to the stream socket at `path`. A full backlog is ECONNREFUSED's neighbour EAGAIN: an error here.
    package static func connect(to path: String) throws(SystemError) -> UnixStream {
        let socket = try SystemCall.makeSocket(Int32(hf_sock_stream))
        try SystemCall.perform("connect", path) { hf_connect_unix(socket.rawValue, path) }
        return UnixStream(owning: socket)
    }

    /// Two connected SOCK_SEQPACKET sockets: message boundaries kept, end of file when the other side is gone.
    package static func makePacketPair() throws(SystemError) -> (UnixStream, UnixStream) {
        try makePair(Int32(hf_sock_seqpacket))
    }

    /// Two connected stream sockets.
    package static func makeStreamPair() throws(SystemError) -> (UnixStream, UnixStream) {
        try makePair(Int32(hf_sock_stream))
    }

    /// As `makePacketPair`, for a child that waits in read(2).
    static func makeBlockingPacketPair() throws(SystemError) -> (UnixStream, UnixStream) {
        try makePair(Int32(hf_sock_seqpacket), Int32(hf_sock_cloexec))
    }

    private static func makePair(
        _ type: Int32, _ flags: Int32 = Int32(hf_sock_cloexec | hf_sock_nonblock)
    ) throws(SystemError) -> (UnixStream, UnixStream) {
        var ends: (Int32, Int32) = (-1, -1)
        try SystemCall.perform("socketpair") {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                    socketpair(AF_UNIX, type | flags, 0, $0)
                }
            }
        }
        return (UnixStream(owning: Descriptor(owning: ends.0)), UnixStream(owning: Descriptor(owning: ends.1)))
    }

    /// Sends bytes, and descriptors with their first byte. A packet goes whole or not at all.
    package func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) -> IOResult<Int> {
        try SystemCall.send(rawValue, bytes, descriptors: descriptors)
    }

    package func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try SystemCall.send(rawValue, bytes)
    }

    /// Receives bytes or one packet with what came along. `count` 0: the other side closed.
    package func receive(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> IOResult<ReceivedMessage> {
        try SystemCall.receive(rawValue, into: buffer)
    }

    /// Ends our direction: the other side reads the end of the file.
    package func shutdownWriting() throws(SystemError) {
        try SystemCall.perform("shutdown") { shutdown(rawValue, Int32(hf_shut_wr)) }
    }

    /// Who connected (SO_PEERCRED), as of the time of connecting.
    package func peerCredentials() throws(SystemError) -> PeerCredentials {
        var credentials = PeerCredentials(pid: 0, uid: 0, gid: 0)
        try SystemCall.perform("getsockopt") {
            hf_peer_credentials(rawValue, &credentials.pid, &credentials.uid, &credentials.gid)
        }
        return credentials
    }

    /// The supplementary groups of who connected (SO_PEERGROUPS), as of the time of connecting.
    package func peerGroups() throws(SystemError) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: 64)
        while true {
            var size = socklen_t(groups.count * MemoryLayout<UInt32>.stride)
            do throws(SystemError) {
                try SystemCall.perform("getsockopt") {
                    groups.withUnsafeMutableBytes {
                        getsockopt(rawValue, SOL_SOCKET, SO_PEERGROUPS, $0.baseAddress, &size)
                    }
                }
                return Array(groups.prefix(Int(size) / MemoryLayout<UInt32>.stride))
            } catch {
                // Too small: the size needed came back.
                guard error.errno == ERANGE else { throw error }
                groups = [UInt32](repeating: 0, count: Int(size) / MemoryLayout<UInt32>.stride)
            }
        }
    }
}
