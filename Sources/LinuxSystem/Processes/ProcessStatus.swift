/// What /proc/PID/stat (proc_pid_stat(5)) says of a process, as far as the runtime asks.
package struct ProcessStatus: Hashable, Sendable {
    package var pid: Int32
    /// The kernel's letter: R, S, D, T, Z, ...
    package var state: Character
    package var parent: Int32
    package var group: Int32
    package var session: Int32
    /// Clock ticks since boot. With the pid (and the boot) it names one process for ever.
    package var startTime: UInt64
    /// Whether it has executed a program since it was forked.
    package var hasExecuted: Bool
    package var isKernelThread: Bool
    /// The wait status of a zombie; 0 when we may not know it.
    package var exitCode: Int32

    /// More than 1 for a process whose main thread has ended before the others: it shows as a zombie, and lives.
    package var threadCount: Int

    /// Whether all of it has ended, and only its status is left.
    package var isZombie: Bool { (state == "Z" || state == "X") && threadCount <= 1 }

    /// Whether a stop signal holds it (or a debugger).
    package var isStopped: Bool { state == "T" || state == "t" }

    /// PF_FORKNOEXEC of the kernel's linux/sched.h, for the flags that acct(5) shows as AFORK.
    private static let forkedOnly: UInt64 = 0x40
    /// PF_KTHREAD there.
    private static let kernelThread: UInt64 = 0x20_0000

    /// `nil` when there is no such process.
    package init?(of pid: Int32) {
        // The name is at most 64 bytes, the 50 numbers at most 20 each.
        guard let bytes = try? SystemCall.readFile("/proc/\(pid)/stat", limit: 2048) else { return nil }
        self.init(parsing: bytes)
    }

    /// Parses the file. The name may hold anything, spaces and parentheses included: what counts is the last one.
    package init?(parsing bytes: [UInt8]) {
        guard let opening = bytes.firstIndex(of: UInt8(ascii: "(")),
            let closing = bytes.lastIndex(of: UInt8(ascii: ")")), opening < closing,
            let pid = Int32(String(decoding: bytes[..<opening], as: UTF8.self).dropLast())
        else { return nil }
        // From the third field of the manual on.
        let fields = bytes[(closing + 1)...].split(whereSeparator: { $0 == 0x20 || $0 == 0x0A })
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 20, let state = fields[0].first, let parent = Int32(fields[1]),
            let group = Int32(fields[2]), let session = Int32(fields[3]), let flags = UInt64(fields[6]),
            let threadCount = Int(fields[17]),
            let startTime = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.state = state
        self.parent = parent
        self.group = group
        self.session = session
        self.startTime = startTime
        self.threadCount = threadCount
        hasExecuted = flags & Self.forkedOnly == 0
        isKernelThread = flags & Self.kernelThread != 0
        exitCode = fields.count >= 50 ? Int32(fields[49]) ?? 0 : 0
    }
}
