import CLinux
import Glibc

extension SystemCall {
    /// A second, close-on-exec descriptor for the same open file (F_DUPFD_CLOEXEC).
    package static func duplicate(_ descriptor: Int32) throws(SystemError) -> Descriptor {
        Descriptor(owning: try perform("fcntl") { fcntl(descriptor, F_DUPFD_CLOEXEC, 3) })
    }

    /// Makes reads and writes answer "would block"; keeps the other status flags. The flag belongs to the open file,
    /// so never set it on one that was inherited and is shared with others (a terminal, say).
    package static func setNonBlocking(_ descriptor: Int32) throws(SystemError) {
        let flags = try perform("fcntl") { fcntl(descriptor, F_GETFL) }
        if flags & O_NONBLOCK == 0 { try perform("fcntl") { fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) } }
    }

    package static func setCloseOnExec(_ descriptor: Int32, _ enabled: Bool = true) throws(SystemError) {
        try perform("fcntl") { fcntl(descriptor, F_SETFD, enabled ? FD_CLOEXEC : 0) }
    }

    /// Whether the number is an open descriptor: for those that the environment promises (LISTEN_FDS, fd 3).
    package static func isOpen(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_GETFD) >= 0
    }

    /// Whether an open file takes pwrite(2) at any place: open for writing, and not for appending only, where Linux ignores the
    /// place.
    package static func isWritableAnywhere(_ descriptor: Int32) throws(SystemError) -> Bool {
        let flags = try perform("fcntl") { fcntl(descriptor, F_GETFL) }
        let access = flags & O_ACCMODE
        return (access == O_WRONLY || access == O_RDWR) && flags & (O_APPEND | hf_o_path) == 0
    }

    /// Opens /dev/null in the place of each standard descriptor that the process was started without. Otherwise the next
    /// descriptors get these numbers, and what is meant for standard error goes into a socket or a file of ours.
    package static func occupyStandardDescriptors() throws(SystemError) {
        for number: Int32 in 0...2 where !isOpen(number) {
            // The lowest number that is free.
            _ = try open("/dev/null", .readWrite).release()
        }
    }

    package static func isCloseOnExec(_ descriptor: Int32) -> Bool {
        let flags = fcntl(descriptor, F_GETFD)
        return flags >= 0 && flags & FD_CLOEXEC != 0
    }

    /// pipe2(2), close-on-exec.
    package static func makePipe(nonBlocking: Bool = false) throws(SystemError) -> Pipe {
        var ends: (Int32, Int32) = (-1, -1)
        try perform("pipe2") {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                    hf_pipe($0, nonBlocking ? 1 : 0)
                }
            }
        }
        return Pipe(readEnd: Descriptor(owning: ends.0), writeEnd: Descriptor(owning: ends.1))
    }

    /// poll(2) on one descriptor, for programs without an event loop (the CLI): whether it became ready in time.
    /// `nil` waits for ever.
    package static func wait(
        for descriptor: Int32, _ interest: EventLoop.Interest, timeout: Duration?
    ) throws(SystemError) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(interest.epollEvents & 0x7), revents: 0)
        let milliseconds = EventLoop.milliseconds(timeout)
        let count = try perform("poll") { poll(&request, 1, milliseconds) }
        return count > 0
    }
}

/// Both ends of a pipe.
package struct Pipe: ~Copyable {
    package var readEnd: Descriptor
    package var writeEnd: Descriptor

    init(readEnd: consuming Descriptor, writeEnd: consuming Descriptor) {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
    }

    /// The ends as values that can be stored and closed separately.
    package consuming func shared() -> (readEnd: SharedDescriptor, writeEnd: SharedDescriptor) {
        (SharedDescriptor(readEnd), SharedDescriptor(writeEnd))
    }
}
