import CLinux
import Glibc

/// Who is at the other end of a unix socket, as the kernel saw it: of a message (SCM_CREDENTIALS) or of a connection
/// (SO_PEERCRED).
package struct PeerCredentials: Hashable, Sendable {
    /// 0 when the process is not visible in our pid namespace.
    package var pid: Int32
    package var uid: UInt32
    package var gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// What came with the bytes of a received message.
package struct ReceivedMessage {
    /// Bytes in the buffer. Zero with a stream or packet socket: the other side closed.
    package var count: Int
    /// Close-on-exec; closed unless taken.
    package var descriptors: [SharedDescriptor]
    /// Only on sockets with `SO_PASSCRED`.
    package var credentials: PeerCredentials?
    /// The message was longer than the buffer; the rest is lost.
    package var isTruncated: Bool
    /// More descriptors were sent than `SystemCall.maximumDescriptorsPerMessage`; the kernel closed the others.
    package var lostDescriptors: Bool
}

extension SystemCall {
    /// The most descriptors that one message carries here.
    package static let maximumDescriptorsPerMessage = Int(HF_MESSAGE_DESCRIPTORS_MAX)

    /// sendmsg(2) on a unix socket, never blocking and never raising SIGPIPE. `to` is the path of an unconnected
    /// datagram's receiver; "@name" is an abstract one. Answers the bytes sent (a stream may take fewer).
    package static func send(
        _ socket: Int32, _ bytes: UnsafeRawBufferPointer, descriptors: [Int32] = [], to path: String? = nil
    ) throws(SystemError) -> IOResult<Int> {
        try performNonBlocking("sendmsg") {
            hf_send_message(
                socket, bytes.baseAddress, bytes.count, descriptors, descriptors.count, path, Int32(hf_msg_dontwait))
        }
    }

    package static func send(
        _ socket: Int32, _ bytes: [UInt8], descriptors: [Int32] = [], to path: String? = nil
    ) throws(SystemError) -> IOResult<Int> {
        try performNonBlocking("sendmsg") {
            bytes.withUnsafeBytes {
                hf_send_message(
                    socket, $0.baseAddress, $0.count, descriptors, descriptors.count, path, Int32(hf_msg_dontwait))
            }
        }
    }

    /// recvmsg(2) on a unix socket, never blocking.
    package static func receive(
        _ socket: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> IOResult<ReceivedMessage> {
        try receive(socket, into: buffer, flags: Int32(hf_msg_dontwait))
    }

    /// As `receive`, and leaves the message where it is: the next call answers the same one, with other descriptors for the
    /// same open files.
    package static func peek(
        _ socket: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> IOResult<ReceivedMessage> {
        try receive(socket, into: buffer, flags: Int32(hf_msg_dontwait | hf_msg_peek))
    }

    /// Takes the next message off a datagram socket, whatever it is; descriptors in it are closed by the kernel.
    /// - Returns: whether there was one.
    @discardableResult
    package static func discardMessage(_ socket: Int32) throws(SystemError) -> Bool {
        try performNonBlocking("recv") { recv(socket, nil, 0, Int32(hf_msg_dontwait)) }.value != nil
    }

    private static func receive(
        _ socket: Int32, into buffer: UnsafeMutableRawBufferPointer, flags: Int32
    ) throws(SystemError) -> IOResult<ReceivedMessage> {
        var info = hf_message_info()
        let result = try performNonBlocking("recvmsg") {
            hf_receive_message(socket, buffer.baseAddress, buffer.count, &info, flags)
        }
        guard let count = result.value else { return .wouldBlock }
        let descriptors = withUnsafeBytes(of: &info.descriptors) { raw in
            raw.bindMemory(to: Int32.self).prefix(Int(info.descriptor_count)).map {
                SharedDescriptor(Descriptor(owning: $0))
            }
        }
        return .done(
            ReceivedMessage(
                count: count, descriptors: descriptors,
                credentials: info.has_credentials == 0
                    ? nil : PeerCredentials(pid: info.pid, uid: info.uid, gid: info.gid),
                isTruncated: info.truncated != 0, lostDescriptors: info.control_truncated != 0))
    }

    static func makeSocket(_ type: Int32) throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try perform("socket") {
                socket(AF_UNIX, type | Int32(hf_sock_cloexec | hf_sock_nonblock), 0)
            })
    }

    static func setOption(_ socket: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        try perform("setsockopt") {
            setsockopt(socket, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Binds to a path, replacing a socket that a predecessor left there.
    static func bind(_ socket: Int32, to path: String) throws(SystemError) {
        if let status = try? status(of: path, followingLinks: false), status.kind == .socket {
            try removeFile(path)
        }
        try perform("bind", path) { hf_bind_unix(socket, path) }
    }
}
