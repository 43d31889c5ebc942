import ControlProtocol
import LinuxSystem

/// Why a call to the runtime gave no result.
enum ClientError: Error, Equatable, Sendable {
    /// Nobody listens at the path.
    case unreachable(path: String)
    /// The socket's permissions do not let this user in.
    case connectionNotPermitted(path: String)
    /// The runtime accepted the connection, or let it wait, and did not answer in time.
    case timedOut(path: String, after: Duration)
    /// The connection ended before the reply did.
    case disconnected(path: String)
    /// What came is not the reply of a Holdfast runtime.
    case malformed(path: String, reason: String)
    /// Another system call failed.
    case system(SystemError)
    /// The runtime refused, for a reason of its own interface.
    case refused(RuntimeError)
    /// The runtime refused, for a reason of the protocol.
    case rejected(VarlinkServiceError)
    /// An error that this version does not know.
    case unknown(name: String)
}
