import CLinux
import Glibc

/// The socket that a worker finds in `HOLDFAST_TELEMETRY_SOCKET`: bound and held here, read by another process that has a
/// descriptor of it. What waits in it outlives that process.
package final class TelemetrySocket {
    private let bound: BoundPath
    private var owner: UInt32?
    /// To be passed on, and non-blocking.
    package let descriptor: SharedDescriptor

    package var path: String { bound.path }

    /// Binds the socket, replacing a left-over one. At first only root and its own user may send.
    package init(path: String) throws(SystemError) {
        let socket = try SystemCall.makeSocket(Int32(hf_sock_dgram))
        bound = try BoundPath(binding: socket.rawValue, to: path)
        descriptor = SharedDescriptor(socket)
        try SystemCall.changeMode(of: path, to: 0o660)
    }

    /// Takes over the socket of a predecessor, with what waits in it; `nil` when it is none, or its path leads elsewhere.
    package init?(adopting socket: consuming Descriptor, at path: String) {
        guard let bound = BoundPath(of: socket.rawValue, at: path) else { return nil }
        self.bound = bound
        descriptor = SharedDescriptor(socket)
    }

    /// Who may send, besides root: a user and a group.
    package func letSend(uid: UInt32, gid: UInt32) throws(SystemError) {
        guard uid != owner else { return }
        try SystemCall.changeOwner(of: path, uid: uid, gid: gid)
        owner = uid
    }

    /// A socket to send from, connected and non-blocking.
    package func connect() throws(SystemError) -> Descriptor { try Self.connect(to: path) }

    /// The same for a worker, which has but the path.
    package static func connect(to path: String) throws(SystemError) -> Descriptor {
        let socket = try SystemCall.makeSocket(Int32(hf_sock_dgram))
        let number = socket.rawValue
        try SystemCall.perform("connect", path) { hf_connect_unix(number, path) }
        return socket
    }

    /// Whether a sender has to wait, or soon will. Not while another process reads the socket: it would see what comes later
    /// than it should.
    package var isFull: Bool {
        // As many datagrams as net.unix.max_dgram_qlen allowed when it was made...
        if let socket = try? connect(),
            (try? SystemCall.wait(for: socket.rawValue, .writable, timeout: .zero)) == false
        {
            return true
        }
        // ...or as much as one sender may have under way (SO_SNDBUF), which only what waits tells.
        return (try? waitingMemory(upTo: Self.memoryOfSender)) ?? 0 >= Self.memoryOfSender
    }

    /// Of net.core.wmem_default, 208 KiB, less than one large datagram is left.
    private static let memoryOfSender = 144 * 1024

    /// About how much kernel memory the waiting datagrams take. Looks at one after another without taking them (SO_PEEK_OFF,
    /// socket(7)).
    private func waitingMemory(upTo limit: Int) throws(SystemError) -> Int {
        guard let number = descriptor.rawValue else { return 0 }
        try SystemCall.setOption(number, SO_PEEK_OFF, 0)
        defer { try? SystemCall.setOption(number, SO_PEEK_OFF, -1) }
        return try withUnsafeTemporaryAllocation(byteCount: Self.largestDatagram, alignment: 16) {
            (buffer) throws(SystemError) -> Int in
            var memory = 0
            while memory < limit, case .done(let message) = try SystemCall.peek(number, into: buffer) {
                memory += Self.memory(ofDatagram: message.count)
            }
            return memory
        }
    }

    private static let largestDatagram = 256 * 1024

    /// As the kernel counts it (skb->truesize): a header, and memory that comes in powers of two, in pages where it is much.
    private static func memory(ofDatagram bytes: Int) -> Int {
        let (header, trailer, page) = (256, 320, 4096)
        guard bytes < 4 * page - trailer else { return (bytes + page - 1) / page * page + header + 4 * trailer }
        var data = 64
        while data < bytes + trailer { data *= 2 }
        return data + header
    }

    /// Drops what waits.
    /// - Parameter most: so that who sends on meanwhile does not keep the caller.
    /// - Returns: how many datagrams.
    package func discard(atMost most: Int) -> Int {
        guard let number = descriptor.rawValue else { return 0 }
        var count = 0
        while count < most, (try? SystemCall.discardMessage(number)) == true { count += 1 }
        return count
    }
}
