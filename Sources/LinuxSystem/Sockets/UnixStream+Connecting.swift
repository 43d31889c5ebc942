import CLinux
import Glibc

extension UnixStream {
    /// Connects to the stream socket at `path`, waiting at most `timeout` for a server whose backlog is full; EAGAIN is
    /// then its error. For clients without an event loop: the wait is the kernel's (SO_SNDTIMEO, socket(7)).
    package static func connect(to path: String, timeout: Duration) throws(SystemError) -> UnixStream {
        let type = Int32(hf_sock_stream | hf_sock_cloexec)
        let connection = Descriptor(owning: try SystemCall.perform("socket") { socket(AF_UNIX, type, 0) })
        let number = connection.rawValue
        let (seconds, attoseconds) = timeout.components
        // A limit of zero would mean none.
        var limit = timeval(
            tv_sec: Int(clamping: max(0, seconds)), tv_usec: max(1, Int(attoseconds / 1_000_000_000_000)))
        try SystemCall.perform("setsockopt") {
            setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        try SystemCall.perform("connect", path) { hf_connect_unix(number, path) }
        try SystemCall.setNonBlocking(number)
        return UnixStream(owning: connection)
    }
}
