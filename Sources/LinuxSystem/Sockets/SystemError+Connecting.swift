import Glibc

/// What tells a client why connect(2) failed.
extension SystemError {
    /// A part of the path is no directory.
    package var isNotDirectory: Bool { errno == ENOTDIR }
    /// A limit on waiting ran out (SO_SNDTIMEO and SO_RCVTIMEO, socket(7)).
    package var isWouldBlock: Bool { errno == EAGAIN }
}
