import CLinux
import Glibc

/// The process itself.
extension SystemCall {
    /// geteuid(2).
    package static func effectiveUserID() -> UInt32 { geteuid() }

    /// getpid(2).
    package static func processID() -> Int32 { getpid() }

    /// malloc_trim(3): gives memory that was freed back to the kernel, after work that took much for a moment.
    package static func returnFreedMemory() {
        hf_return_freed_memory()
    }

    /// exit(3): ends the process with a status.
    package static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }
}
