import Glibc

/// The process itself.
extension SystemCall {
    /// geteuid(2).
    package static func effectiveUserID() -> UInt32 { geteuid() }

    /// getpid(2).
    package static func processID() -> Int32 { getpid() }

    /// exit(3): ends the process with a status.
    package static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }
}
