/// The path that a socket of ours was bound to. Removed with the socket, unless something else is there by then: a
/// successor may have bound the same path already.
struct BoundPath: ~Copyable {
    let path: String
    private let device: UInt64
    private let inode: UInt64

    /// Binds the socket, replacing a socket that a predecessor left at the path but no file of another kind.
    init(binding socket: Int32, to path: String) throws(SystemError) {
        try SystemCall.bind(socket, to: path)
        let status = try SystemCall.status(of: path, followingLinks: false)
        self.path = path
        device = status.device
        inode = status.inode
    }

    deinit {
        guard let status = try? SystemCall.status(of: path, followingLinks: false),
            status.device == device, status.inode == inode
        else { return }
        try? SystemCall.removeFile(path)
    }
}
