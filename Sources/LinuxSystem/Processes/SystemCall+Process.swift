import CLinux
import Glibc

/// The process itself.
extension SystemCall {
    /// geteuid(2).
    package static func effectiveUserID() -> UInt32 { geteuid() }

    /// getegid(2).
    package static func effectiveGroupID() -> UInt32 { getegid() }

    /// getpid(2).
    package static func processID() -> Int32 { getpid() }

    /// The pid that a pidfd stands for (pidfd_open(2)): -1 when the process has ended and was reaped, 0 when it is not
    /// visible here; `nil` when the descriptor is no pidfd.
    package static func process(ofPidfd pidfd: Int32) -> Int32? {
        guard let bytes = try? readFile("/proc/self/fdinfo/\(pidfd)", limit: 4096) else { return nil }
        let prefix = Array("Pid:\t".utf8)
        let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: prefix) }
        return line.flatMap { Int32(String(decoding: $0.dropFirst(prefix.count), as: UTF8.self)) }
    }

    /// Another one after each boot of the machine (/proc/sys/kernel/random/boot_id).
    package static func bootID() throws(SystemError) -> String {
        let text = try readFile("/proc/sys/kernel/random/boot_id", limit: 64)
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// The path of the program that this process runs. Ask early: once the file is replaced it is " (deleted)".
    package static func executablePath() throws(SystemError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try perform("readlink", "/proc/self/exe") { readlink("/proc/self/exe", &buffer, buffer.count) }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// nanosleep(2), for programs without an event loop that wait for another process (the CLI).
    package static func sleep(for duration: Duration) {
        var rest = timespec(
            tv_sec: Int(duration.components.seconds), tv_nsec: Int(duration.components.attoseconds / 1_000_000_000))
        var remainder = timespec()
        while nanosleep(&rest, &remainder) < 0 && errno == EINTR { rest = remainder }
    }

    /// What lists of processes call this one, at most 15 bytes of it (PR_SET_NAME of prctl(2)).
    package static func setProcessName(_ name: String) throws(SystemError) {
        try perform("prctl") { hf_set_process_name(name) }
    }

    /// The loader that the kernel starts for this program; `nil` for one that needs none.
    package static var programInterpreter: String? { hf_program_interpreter().map { String(cString: $0) } }

    /// After work that is not done often: gives back the memory that was freed, and the pages of programs and libraries
    /// until they are next used. Those come back from the page cache one fault at a time.
    package static func releaseMemory() {
        hf_release_memory()
    }

    /// For a process with threads that seldom allocate: they share the heap of the first. Call it before they are there.
    package static func shareHeap() {
        hf_share_heap()
    }

    /// Keeps what this process has mapped by now out of the children that `ChildProcess` starts, which makes starting
    /// them cheaper the larger this process is. Nothing else may fork afterwards.
    package static func withholdMemoryFromChildren() throws(SystemError) {
        try perform("madvise") { hf_withhold_memory() }
    }

    /// mmap(2): private memory, all zeros.
    static func mapMemory(bytes: Int) throws(SystemError) -> UnsafeMutableRawPointer {
        var memory: UnsafeMutableRawPointer?
        try perform("mmap") {
            memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            return memory == MAP_FAILED ? -1 : 0
        }
        guard let memory else { throw SystemError(call: "mmap", errno: ENOMEM) }
        return memory
    }

    /// munmap(2).
    static func unmapMemory(_ memory: UnsafeMutableRawPointer, bytes: Int) {
        munmap(memory, bytes)
    }

    /// exit(3): ends the process with a status.
    package static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }
}
