import CLinux
import Glibc

/// How a process ended (wait(2)).
package enum ProcessExit: Hashable, Sendable {
    case exited(code: Int32)
    case signaled(signal: Int32, coreDumped: Bool)
    /// It was not our child, and the kernel does not tell (before Linux 6.15).
    case unknown
}

/// What became of a process between clone and exec.
package enum ExecOutcome: Hashable, Sendable {
    case executed
    /// The step of the child side that failed, such as "exec" or "chdir".
    case failed(step: String, errno: Int32)
}

/// A process and its pidfd, which travel together: a signal or a wait through the pidfd cannot hit another process that
/// got the same number. Main thread only.
package final class ChildProcess {
    package let pid: Int32
    /// Clock ticks since boot: with the pid, it names the process. Asked of /proc where it is not known; `nil` then for a
    /// process that is reaped.
    package private(set) lazy var startTime: UInt64? = ProcessStatus(of: pid)?.startTime
    /// `nil` for one that is known to be gone.
    private let pidfd: SharedDescriptor?
    /// To the child side of the spawn; gone once it is known how that went.
    private var channel: UnixStream?
    /// What its sandbox makes of which path, for the step that fails.
    private var places: [Sandbox.Place] = []

    private init(pid: Int32, pidfd: consuming Descriptor, channel: UnixStream? = nil) {
        self.pid = pid
        self.pidfd = SharedDescriptor(pidfd)
        self.channel = channel
    }

    /// The descriptor that becomes readable when the process ends.
    package var exitDescriptor: Int32 { pidfd?.rawValue ?? -1 }

    /// The descriptor that becomes readable when it is known whether the program was executed; `nil` once known.
    package var execDescriptor: Int32? { channel?.rawValue }

    /// Starts a process without waiting for its exec, whose outcome `takeExecOutcome` tells later. A process that is
    /// killed before its exec counts as executed: its exit follows, as of any other.
    ///
    /// - Parameter held: the process gets ready and waits for `letGo` before it executes its program. If we die before,
    ///   it ends by itself, and nothing of the program has run.
    /// - Parameter memory: is used again by whoever spawns often.
    ///
    /// Errors: those of clone3(2) and socketpair(2); EINVAL by "spawn" for a request that contradicts itself; ENOSYS before
    /// Linux 5.3. A kernel that cannot start a process in a cgroup (before 5.7) makes it move there itself as its first
    /// step, which is as tight: nothing of the worker has run by then. Other reasons why a cgroup does not take a
    /// process are errors, for a worker outside its cgroup could not be stopped as a whole.
    package static func spawn(
        _ request: SpawnRequest, held: Bool = false, in memory: SpawnMemory = SpawnMemory()
    ) throws(SystemError) -> ChildProcess {
        try request.validate()
        let (ours, theirs) = try UnixStream.makeBlockingPacketPair()
        let image = try SpawnImage(request, report: theirs.rawValue, in: memory)
        var pidfd: Int32 = -1
        let pid: Int32
        let tick = BootClock.ticks()
        do throws(SystemError) {
            pid = try clone(image, isBornInCgroup: request.cgroup != nil, request.executable, &pidfd)
        } catch {
            guard request.cgroup != nil, error.errno == EINVAL || error.errno == E2BIG else { throw error }
            pid = try clone(image, isBornInCgroup: false, request.executable, &pidfd)
        }
        // Our copy of the child's end goes here: the channel then ends when the child's does.
        let child = ChildProcess(pid: pid, pidfd: Descriptor(owning: pidfd), channel: ours)
        // Within one tick there is nothing to ask.
        if let tick, BootClock.ticks() == tick { child.startTime = tick }
        if let sandbox = request.confinement.sandbox { child.places = sandbox.places }
        if !held, !child.letGo() { throw SystemError(call: "sendmsg", errno: ENOBUFS, subject: request.executable) }
        return child
    }

    /// Lets a held process execute its program. It may be gone already.
    /// - Returns: false when the kernel has no room for the word at the moment: try again.
    package func letGo() -> Bool {
        guard let channel else { return true }
        do throws(SystemError) {
            if case .done = try channel.send([1]) { return true }
            return false
        } catch {
            return !error.isTransient
        }
    }

    private static func clone(
        _ image: SpawnImage, isBornInCgroup: Bool, _ subject: String, _ pidfd: inout Int32
    ) throws(SystemError) -> Int32 {
        var descriptor: Int32 = -1
        let pid = try SystemCall.perform("clone3", subject) {
            image.spawn(isBornInCgroup: isBornInCgroup, pidfd: &descriptor)
        }
        pidfd = descriptor
        return pid
    }

    /// A handle for a process that runs already, which may or may not be our child (pidfd_open(2)).
    package static func adopting(pid: Int32) throws(SystemError) -> ChildProcess {
        let descriptor = try SystemCall.perform("pidfd_open") { hf_pidfd_open(pid) }
        return ChildProcess(pid: pid, pidfd: Descriptor(owning: descriptor))
    }

    /// Stands for a process that is gone, and of which nobody knows how it ended.
    package init(goneWithPid pid: Int32) {
        self.pid = pid
        pidfd = nil
        channel = nil
    }

    /// A handle from a pidfd that has outlived whoever opened it, on the same boot; `nil` when it is not that process's.
    /// One that has ended and was reaped cannot be told from others that have: nobody can be hit by a signal to it.
    package static func adopting(pid: Int32, startTime: UInt64, pidfd: consuming Descriptor) -> ChildProcess? {
        guard let named = SystemCall.process(ofPidfd: pidfd.rawValue), named == pid || named == -1 else { return nil }
        if named == pid, let status = ProcessStatus(of: pid), status.startTime != startTime { return nil }
        let process = ChildProcess(pid: pid, pidfd: pidfd)
        process.startTime = startTime
        return process
    }

    /// A handle for the process that was recorded with this pid and start time, on the same boot; `nil` when it is gone,
    /// whoever has its number now. Other errors of pidfd_open(2) are thrown: then nobody knows.
    package static func adopting(pid: Int32, startTime: UInt64) throws(SystemError) -> ChildProcess? {
        let process: ChildProcess
        do throws(SystemError) {
            process = try adopting(pid: pid)
        } catch {
            // EINVAL: a pid that never was one. ENOENT: a thread's.
            guard error.isNoSuchProcess || error.errno == EINVAL || error.isNotFound else { throw error }
            return nil
        }
        // The handle is fast to one process now; was that the one?
        guard ProcessStatus(of: pid)?.startTime == startTime else { return nil }
        return process
    }

    /// Whether the program was executed; `nil` while that is open. Call when `execDescriptor` is readable.
    /// - Parameter willClose: called when the answer is there, before the descriptor is closed. A watch on it has to end
    ///   now: children that have not closed their copies yet would keep it alive, and ready for ever.
    package func takeExecOutcome(_ willClose: () -> Void = {}) -> ExecOutcome? {
        guard let channel else { return .executed }
        var failure = hf_spawn_report()
        var result = withUnsafeMutableBytes(of: &failure) { try? channel.receive(into: $0) }
        // A child that has ended without reading our word resets the channel: that is told once, before what it said.
        if result == nil { result = withUnsafeMutableBytes(of: &failure) { try? channel.receive(into: $0) } }
        if case .wouldBlock = result { return nil }
        willClose()
        self.channel = nil
        // Anything else is the end: of a channel that the exec closed, or of a child that was killed.
        guard case .done(let message) = result, message.count == MemoryLayout<hf_spawn_report>.size else {
            return .executed
        }
        return .failed(step: name(ofStep: failure), errno: failure.error)
    }

    /// Whether it has executed a program since it was forked, a zombie too; `nil` when it is gone.
    package var hasExecuted: Bool? {
        guard let status = ProcessStatus(of: pid), status.startTime == startTime else { return nil }
        return status.hasExecuted
    }

    /// pidfd_send_signal(2). Nothing happens when the process is gone.
    package func signal(_ number: Int32) throws(SystemError) {
        guard pidfd != nil else { return }
        do throws(SystemError) {
            try SystemCall.perform("pidfd_send_signal") { hf_pidfd_signal(exitDescriptor, number) }
        } catch {
            guard error.isNoSuchProcess else { throw error }
        }
    }

    /// How the process ended; `nil` while it runs.
    /// - Parameter keepingZombie: leaves its pid and group number taken until it is asked again without.
    package func exit(keepingZombie: Bool) -> ProcessExit? {
        guard pidfd != nil else { return .unknown }
        var (code, status): (Int32, Int32) = (0, 0)
        let result = try? SystemCall.perform("waitid") {
            hf_pidfd_wait(exitDescriptor, keepingZombie ? 1 : 0, &code, &status)
        }
        switch result {
        case 0: return nil
        case .some:
            switch code {
            case Int32(CLD_EXITED): return .exited(code: status)
            case Int32(CLD_DUMPED): return .signaled(signal: status, coreDumped: true)
            default: return .signaled(signal: status, coreDumped: false)
            }
        case nil:
            // ECHILD: not ours to wait for, or reaped already.
            return exitOfStranger()
        }
    }

    private func exitOfStranger() -> ProcessExit? {
        if (try? SystemCall.wait(for: exitDescriptor, .readable, timeout: .zero)) == false { return nil }
        if let status = statusAfterReaping() { return Self.decode(status) }
        // Its parent has not reaped it yet: then /proc has the status, for those who may trace it. That the pidfd still
        // takes signals afterwards proves that the pid was not handed on in between.
        if let status = ProcessStatus(of: pid), status.isZombie, hf_pidfd_signal(exitDescriptor, 0) == 0 {
            return Self.decode(status.exitCode)
        }
        return statusAfterReaping().map { Self.decode($0) } ?? .unknown
    }

    private func statusAfterReaping() -> Int32? {
        var status: Int32 = 0
        return hf_pidfd_exit_code(exitDescriptor, &status) == 1 ? status : nil
    }

    /// The macros of wait(2).
    private static func decode(_ status: Int32) -> ProcessExit {
        let signal = status & 0x7f
        if signal == 0 { return .exited(code: (status >> 8) & 0xff) }
        return .signaled(signal: signal, coreDumped: status & 0x80 != 0)
    }

    private func name(ofStep failure: hf_spawn_report) -> String {
        switch UInt32(bitPattern: failure.step) {
        case HF_STEP_SESSION.rawValue: "setsid"
        case HF_STEP_CGROUP.rawValue: "enter cgroup"
        case HF_STEP_INPUT.rawValue: "open /dev/null"
        case HF_STEP_OUTPUT.rawValue: "open output"
        case HF_STEP_DESCRIPTOR.rawValue: "place descriptors"
        case HF_STEP_CLOSE.rawValue: "close_range"
        case HF_STEP_LIMIT.rawValue: "setrlimit"
        case HF_STEP_OOM_SCORE.rawValue: "oom_score_adj"
        case HF_STEP_NICE.rawValue: "setpriority"
        case HF_STEP_NAMESPACES.rawValue: "sandbox: unshare"
        case HF_STEP_USER_MAP.rawValue: "sandbox: write uid_map"
        case HF_STEP_LOOPBACK.rawValue: "sandbox: start loopback"
        case HF_STEP_MOUNTS.rawValue: "sandbox: make mounts private"
        case HF_STEP_PATH.rawValue where places.indices.contains(Int(failure.index)):
            "sandbox: \(places[Int(failure.index)].access.verb) \(places[Int(failure.index)].path)"
        case HF_STEP_SEAL.rawValue: "sandbox: seal by Landlock"
        case HF_STEP_GROUPS.rawValue: "setgroups"
        case HF_STEP_GROUP.rawValue: "setresgid"
        case HF_STEP_USER.rawValue: "setresuid"
        case HF_STEP_CAPABILITIES.rawValue: "capset"
        case HF_STEP_DIRECTORY.rawValue: "chdir"
        case HF_STEP_NO_NEW_PRIVILEGES.rawValue: "no_new_privs"
        case HF_STEP_LANDLOCK.rawValue: "landlock_restrict_self"
        case HF_STEP_SECCOMP.rawValue: "seccomp"
        default: "exec"
        }
    }
}
