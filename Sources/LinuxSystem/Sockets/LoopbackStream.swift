import CLinux
import Glibc

/// A TCP connection within this machine; non-blocking.
package final class LoopbackStream {
    private let socket: Descriptor

    /// The descriptor to register with an event loop.
    package var rawValue: Int32 { socket.rawValue }

    init(owning socket: consuming Descriptor) {
        self.socket = socket
    }

    /// Begins to connect: once it is writable, `connectionError` tells what has come of it. EADDRNOTAVAIL for an address
    /// that is none of the loopback interface's (127.0.0.0/8, ::1).
    package static func connect(to address: String, port: Int) throws(SystemError) -> LoopbackStream {
        guard let address = LoopbackAddress(address, port: port) else {
            throw SystemError(call: "connect", errno: EADDRNOTAVAIL, subject: address)
        }
        let socket = try makeSocket(address.family)
        let number = socket.rawValue
        do throws(SystemError) {
            try address.withPointer { (pointer, length) throws(SystemError) in
                _ = try SystemCall.perform("connect") { Glibc.connect(number, pointer, length) }
            }
        } catch  where error.errno == EINPROGRESS {
        }
        return LoopbackStream(owning: socket)
    }

    static func makeSocket(_ family: Int32) throws(SystemError) -> Descriptor {
        let type = Int32(hf_sock_stream | hf_sock_cloexec | hf_sock_nonblock)
        return Descriptor(owning: try SystemCall.perform("socket") { Glibc.socket(family, type, 0) })
    }

    /// Why the connection did not come about; `nil` when it did (SO_ERROR, socket(7)).
    package var connectionError: SystemError? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(rawValue, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code != 0 else { return nil }
        return SystemError(call: "connect", errno: code)
    }

    /// Sends bytes; may send less than everything.
    package func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> IOResult<Int> {
        let number = rawValue
        return try SystemCall.performNonBlocking("send") {
            bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(hf_msg_nosignal)) }
        }
    }

    /// Receives bytes; 0 when the other side has ended its part.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try SystemCall.read(rawValue, into: buffer)
    }
}

/// A TCP socket on which this machine alone can connect; non-blocking.
package final class LoopbackListener {
    private let socket: Descriptor
    package let port: Int

    /// The descriptor to register with an event loop.
    package var rawValue: Int32 { socket.rawValue }

    /// Listens on 127.0.0.1.
    /// - Parameter port: 0 for any that is free.
    package init(port: Int, backlog: Int32 = 16) throws(SystemError) {
        let subject = "127.0.0.1:\(port)"
        guard let address = LoopbackAddress("127.0.0.1", port: port) else {
            throw SystemError(call: "bind", errno: EINVAL, subject: subject)
        }
        socket = try LoopbackStream.makeSocket(address.family)
        let number = socket.rawValue
        // The connections of a process before this one, of which the kernel still knows, do not matter.
        try SystemCall.setOption(number, SO_REUSEADDR, 1)
        try address.withPointer { (pointer, length) throws(SystemError) in
            _ = try SystemCall.perform("bind", subject) { Glibc.bind(number, pointer, length) }
        }
        try SystemCall.perform("listen", subject) { listen(number, backlog) }
        var bound = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &bound) { (pointer) throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(SystemError) in
                _ = try SystemCall.perform("getsockname") { getsockname(number, pointer, &length) }
            }
        }
        self.port = Int(UInt16(bigEndian: bound.sin_port))
    }

    /// The next waiting connection, or `nil` when there is none. One that broke off meanwhile is skipped.
    package func accept() throws(SystemError) -> LoopbackStream? {
        let number = socket.rawValue
        while true {
            do throws(SystemError) {
                return LoopbackStream(
                    owning: Descriptor(owning: try SystemCall.perform("accept4") { hf_accept(number) }))
            } catch {
                switch error.errno {
                case EAGAIN: return nil
                case ECONNABORTED, EPROTO: continue
                default: throw error
                }
            }
        }
    }
}

/// An address of the loopback interface.
private enum LoopbackAddress {
    case version4(sockaddr_in)
    case version6(sockaddr_in6)

    init?(_ text: String, port: Int) {
        guard let port = UInt16(exactly: port) else { return nil }
        var four = sockaddr_in()
        if inet_pton(AF_INET, text, &four.sin_addr) == 1 {
            guard UInt32(bigEndian: four.sin_addr.s_addr) >> 24 == 127 else { return nil }
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            self = .version4(four)
            return
        }
        var six = sockaddr_in6()
        guard inet_pton(AF_INET6, text, &six.sin6_addr) == 1 else { return nil }
        let isLoopback = withUnsafeBytes(of: &six.sin6_addr) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
        guard isLoopback else { return nil }
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        self = .version6(six)
    }

    var family: Int32 {
        switch self {
        case .version4: AF_INET
        case .version6: AF_INET6
        }
    }

    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void) throws(SystemError) {
        switch self {
        case .version4(let address): try LoopbackAddress.withPointer(to: address, body)
        case .version6(let address): try LoopbackAddress.withPointer(to: address, body)
        }
    }

    private static func withPointer<Address>(
        to address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        try withUnsafePointer(to: address) { (pointer) throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(SystemError) in
                try body(pointer, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
