import Glibc

/// How the kernel shares the processor among threads (sched(7)). Linux keeps all of this for each thread by itself.
extension SystemCall {
    /// The policies that need no deadline and no real-time priority.
    package enum SchedulingPolicy: Int32, Sendable {
        case other = 0
        /// As `other`, but taken for one that computes: it is not preferred when it wakes.
        case batch = 3
        /// Only what nobody else wants.
        case idle = 5
    }

    /// getpriority(2): -20 to 19.
    package static func niceness(of thread: Int32) throws(SystemError) -> Int {
        // -1 is a niceness as well: only errno tells.
        errno = 0
        let niceness = getpriority(Int32(PRIO_PROCESS.rawValue), id_t(thread))
        guard niceness != -1 || errno == 0 else { throw SystemError(call: "getpriority", errno: errno) }
        return Int(niceness)
    }

    /// setpriority(2). Lowering the number takes CAP_SYS_NICE.
    package static func setNiceness(of thread: Int32, to niceness: Int) throws(SystemError) {
        try perform("setpriority") { setpriority(Int32(PRIO_PROCESS.rawValue), id_t(thread), Int32(niceness)) }
    }

    /// sched_getscheduler(2); `nil` for a policy of another kind, such as a real-time one.
    package static func schedulingPolicy(of thread: Int32) throws(SystemError) -> SchedulingPolicy? {
        let resetsOnFork: Int32 = 0x4000_0000
        return SchedulingPolicy(
            rawValue: try perform("sched_getscheduler") { sched_getscheduler(thread) } & ~resetsOnFork)
    }

    /// sched_setscheduler(2). The niceness stays.
    package static func setSchedulingPolicy(of thread: Int32, to policy: SchedulingPolicy) throws(SystemError) {
        var parameters = sched_param()
        try perform("sched_setscheduler") { sched_setscheduler(thread, policy.rawValue, &parameters) }
    }

    /// The threads of a process, none when it is gone.
    package static func threads(of process: Int32) -> [Int32] {
        ((try? names(inDirectory: "/proc/\(process)/task")) ?? []).compactMap { Int32($0) }
    }

    /// Whether this process may undo what `setNiceness` does to others (CAP_SYS_NICE; capabilities(7)).
    package static var maySetPriorities: Bool {
        let nice: UInt64 = 1 << 23
        guard let bytes = try? readFile("/proc/self/status", limit: 8192) else { return false }
        let prefix = Array("CapEff:\t".utf8)
        let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: prefix) }
        let set = line.flatMap { UInt64(String(decoding: $0.dropFirst(prefix.count), as: UTF8.self), radix: 16) }
        return set.map { $0 & nice != 0 } ?? false
    }
}
