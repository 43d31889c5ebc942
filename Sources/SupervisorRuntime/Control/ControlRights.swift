import ControlProtocol
import LinuxSystem

/// What the process at the other end of a control connection may do, by the credentials that the kernel gives
/// (SO_PEERCRED, SO_PEERGROUPS), which it cannot forge.
enum ControlRights: Equatable {
    /// One of Holdfast's own processes, on a connection that it inherited: these methods and no others.
    case only(Set<RuntimeMethod.Name>)
    case none
    case read
    case change

    /// Root and the user who runs the runtime may change things; the group may read.
    func permits(_ method: RuntimeMethod) -> Bool {
        switch self {
        case .only(let methods): methods.contains(method.name)
        case .change: true
        case .read: !method.changesState
        case .none: false
        }
    }

    init(of stream: UnixStream, readingGroup: UInt32?) {
        guard let peer = try? stream.peerCredentials() else {
            self = .none
            return
        }
        if peer.uid == 0 || peer.uid == SystemCall.effectiveUserID() {
            self = .change
        } else if let readingGroup,
            peer.gid == readingGroup || ((try? stream.peerGroups()) ?? []).contains(readingGroup)
        {
            self = .read
        } else {
            self = .none
        }
    }
}
