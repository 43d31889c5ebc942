import LinuxSystem

/// What the process at the other end of a control connection may do, by the credentials that the kernel gives
/// (SO_PEERCRED, SO_PEERGROUPS), which it cannot forge.
enum ControlRights {
    case none
    case read
    case change

    /// Root and the user who runs the runtime may change things; the group may read.
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
