import CLinux
import Glibc

/// Named pipes (fifo(7)) that carry the workers' output.
package enum FIFO {
    /// Makes a FIFO, or keeps one that is there, with what it holds. A file of another kind is an error.
    package static func create(
        _ path: String, permissions: UInt32 = 0o600, uid: UInt32? = nil, gid: UInt32? = nil
    ) throws(SystemError) {
        do throws(SystemError) {
            try SystemCall.makeFIFO(path, permissions: permissions)
        } catch {
            guard error.alreadyExists, try SystemCall.status(of: path, followingLinks: false).kind == .fifo else {
                throw error
            }
        }
        try SystemCall.changeMode(of: path, to: permissions)
        if uid != nil || gid != nil { try SystemCall.changeOwner(of: path, uid: uid, gid: gid) }
    }

    /// Both ends in one descriptor, non-blocking: while it is open, the FIFO has a writer and a reader, and thus never
    /// reads as the end of file (fifo(7), a Linux extension).
    package static func openBothEnds(_ path: String) throws(SystemError) -> Descriptor {
        try SystemCall.open(path, [.readWrite, .nonBlocking, .noFollow])
    }

    /// Whether the path leads to the open FIFO.
    package static func isAt(_ path: String, _ descriptor: Int32) throws(SystemError) -> Bool {
        let (open, named) = (try SystemCall.status(descriptor), try SystemCall.status(of: path, followingLinks: false))
        return open.kind == .fifo && open.device == named.device && open.inode == named.inode
    }

    /// Whether a writer might block, for no page of the FIFO is free. The unread bytes do not tell: a write that does
    /// not fit into the rest of a page begins a new one, and a FIFO can be full at half its capacity (pipe(7)).
    /// - Parameter descriptor: one that may write.
    package static func isFull(_ descriptor: Int32) throws(SystemError) -> Bool {
        try !SystemCall.wait(for: descriptor, .writable, timeout: .zero)
    }

    /// Bytes that wait to be read (FIONREAD).
    package static func unreadBytes(_ descriptor: Int32) throws(SystemError) -> Int {
        Int(try SystemCall.perform("ioctl") { hf_unread_bytes(descriptor) })
    }

    /// Bytes that fit before a writer blocks (F_GETPIPE_SZ): 65536 unless changed.
    package static func capacity(_ descriptor: Int32) throws(SystemError) -> Int {
        Int(try SystemCall.perform("fcntl") { hf_pipe_capacity(descriptor) })
    }

    /// Asks for room (F_SETPIPE_SZ); the kernel rounds up to a power of two of pages, and without privileges refuses
    /// more than fs.pipe-max-size, or more than the user's share in total, by EPERM.
    /// - Returns: the room that there is now.
    @discardableResult
    package static func setCapacity(_ descriptor: Int32, _ bytes: Int) throws(SystemError) -> Int {
        Int(try SystemCall.perform("fcntl") { hf_set_pipe_capacity(descriptor, Int32(clamping: bytes)) })
    }
}
