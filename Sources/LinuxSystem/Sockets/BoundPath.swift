import CLinux
import Glibc

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

    /// The path of a socket that a predecessor bound and that is still there; `nil` when something else is.
    init?(of socket: Int32, at path: String) {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        let bound = withUnsafeBytes(of: &address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard result == 0, bound == path, let status = try? SystemCall.status(of: path, followingLinks: false),
            status.kind == .socket
        else { return nil }
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
