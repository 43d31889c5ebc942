import Glibc

extension SystemCall {
    /// exit(3): ends the process with a status.
    package static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }
}
