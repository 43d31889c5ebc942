import Glibc

/// A failed system call.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call by its name in section 2 of the manual, such as "openat".
    package var call: String
    /// The Linux error number (errno(3)).
    package var errno: Int32
    /// What the call was applied to, such as a path, where that helps the reader.
    package var subject: String?

    package init(call: String, errno: Int32, subject: String? = nil) {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    /// The kernel's error in words, with what to do about those that an operator can mend.
    package var message: String {
        let text = SystemError.text(of: errno)
        return switch errno {
        case EMFILE: "\(text); raise the limit on open files (LimitNOFILE= of the unit)"
        case ENFILE: "\(text); raise fs.file-max"
        case EAGAIN where call.hasPrefix("clone"): "\(text); raise the limit on processes (TasksMax= of the unit)"
        case ENOSYS: "\(text); a newer kernel is needed"
        default: text
        }
    }

    package var description: String {
        if let subject { return "\(call) \(subject): \(message)" }
        return "\(call): \(message)"
    }

    /// The same error, naming what the call was applied to.
    package func about(_ subject: String) -> SystemError {
        SystemError(call: call, errno: errno, subject: subject)
    }

    /// The error number of this thread's last failed call that was not made here, such as one of a C module's.
    package static var current: Int32 { Glibc.errno }

    /// What strerror(3) says of an error number.
    package static func text(of errno: Int32) -> String {
        guard let text = strerror(errno) else { return "error \(errno)" }
        return String(cString: text)
    }
}

/// The error numbers that callers decide on. The others only have to be reported.
extension SystemError {
    /// ENOENT, for failures that are found out without a call.
    package static var noSuchEntry: Int32 { ENOENT }
    /// EPIPE, likewise.
    package static var brokenPipe: Int32 { EPIPE }
    package static var noSpace: Int32 { ENOSPC }
    /// EUSERS.
    package static var tooManyUsers: Int32 { EUSERS }
    /// ENOSYS: the kernel has no such call.
    package static var notImplemented: Int32 { ENOSYS }

    package var isNotFound: Bool { errno == ENOENT }
    package var alreadyExists: Bool { errno == EEXIST }
    package var isNoSuchProcess: Bool { errno == ESRCH }
    package var isNotSupported: Bool { errno == ENOSYS || errno == EOPNOTSUPP }
    package var isBrokenPipe: Bool { errno == EPIPE || errno == ECONNRESET }
    package var isConnectionRefused: Bool { errno == ECONNREFUSED }
    package var isPermissionDenied: Bool { errno == EACCES || errno == EPERM }
    /// The machine or the process is short of something now, and may not be in a moment.
    /// ETOOMANYREFS: too many descriptors are under way in sockets (unix(7)).
    package var isTransient: Bool {
        isOutOfDescriptors || [EAGAIN, ENOMEM, ENOBUFS, ETOOMANYREFS].contains(errno)
    }
    package var isOutOfDescriptors: Bool { errno == EMFILE || errno == ENFILE }
    /// A symbolic link where none is followed, among others (open(2), O_NOFOLLOW).
    package var isLinkLoop: Bool { errno == ELOOP }
    package var isTooLarge: Bool { errno == EFBIG }
    package var isNoSpace: Bool { errno == ENOSPC || errno == EDQUOT }
}
