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
    private let pidfd: Descriptor
    private var execPipe: SharedDescriptor?

    private init(pid: Int32, pidfd: consuming Descriptor, execPipe: SharedDescriptor? = nil) {
        self.pid = pid
        self.pidfd = pidfd
        self.execPipe = execPipe
    }

    /// The descriptor that becomes readable when the process ends.
    package var exitDescriptor: Int32 { pidfd.rawValue }

    /// The descriptor that becomes readable when it is known whether the program was executed; `nil` once known.
    package var execDescriptor: Int32? { execPipe?.rawValue }

    /// Starts a process without waiting for its exec, whose outcome `takeExecOutcome` tells later.
    package static func spawn(_ request: SpawnRequest) throws(SystemError) -> ChildProcess {
        let image = SpawnImage(request)
        var spawned = hf_spawned()
        try SystemCall.perform("clone3", request.executable) { image.spawn(&spawned) }
        return ChildProcess(
            pid: spawned.pid, pidfd: Descriptor(owning: spawned.pidfd),
            execPipe: SharedDescriptor(Descriptor(owning: spawned.exec_pipe)))
    }

    /// A handle for a process that runs already, which may or may not be our child (pidfd_open(2)).
    package static func adopting(pid: Int32) throws(SystemError) -> ChildProcess {
        let descriptor = try SystemCall.perform("pidfd_open") { hf_pidfd_open(pid) }
        return ChildProcess(pid: pid, pidfd: Descriptor(owning: descriptor))
    }

    /// Whether the program was executed; `nil` while that is open. Call when `execDescriptor` is readable, after having
    /// unregistered it: the pipe is closed as soon as the answer is there.
    package func takeExecOutcome() -> ExecOutcome? {
        guard let pipe = execPipe, let descriptor = pipe.rawValue else { return .executed }
        var failure = hf_spawn_failure()
        let size = MemoryLayout<hf_spawn_failure>.size
        let result = withUnsafeMutableBytes(of: &failure) { try? SystemCall.read(descriptor, into: $0) }
        switch result {
        case .wouldBlock: return nil
        case .done(size):
            execPipe = nil
            return .failed(step: Self.name(ofStep: failure.step), errno: failure.error)
        case .done, nil:
            execPipe = nil
            return .executed
        }
    }

    /// pidfd_send_signal(2). Nothing happens when the process is gone.
    package func signal(_ number: Int32) throws(SystemError) {
        do throws(SystemError) {
            try SystemCall.perform("pidfd_send_signal") { hf_pidfd_signal(pidfd.rawValue, number) }
        } catch {
            guard error.isNoSuchProcess else { throw error }
        }
    }

    /// How the process ended; `nil` while it runs.
    /// - Parameter keepingZombie: leaves its pid and group number taken until it is asked again without.
    package func exit(keepingZombie: Bool) -> ProcessExit? {
        var (code, status): (Int32, Int32) = (0, 0)
        let result = try? SystemCall.perform("waitid") {
            hf_pidfd_wait(pidfd.rawValue, keepingZombie ? 1 : 0, &code, &status)
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
        if (try? SystemCall.wait(for: pidfd.rawValue, .readable, timeout: .zero)) == false { return nil }
        var status: Int32 = 0
        guard hf_pidfd_exit_code(pidfd.rawValue, &status) == 1 else { return .unknown }
        let signal = status & 0x7f
        if signal == 0 { return .exited(code: (status >> 8) & 0xff) }
        return .signaled(signal: signal, coreDumped: status & 0x80 != 0)
    }

    private static func name(ofStep step: Int32) -> String {
        switch UInt32(bitPattern: step) {
        case HF_STEP_SESSION.rawValue: "setsid"
        case HF_STEP_SIGNALS.rawValue: "sigaction"
        case HF_STEP_STANDARD_INPUT.rawValue: "open /dev/null"
        case HF_STEP_OUTPUT.rawValue: "open output"
        case HF_STEP_DESCRIPTORS.rawValue: "place descriptors"
        case HF_STEP_LIMITS.rawValue: "setrlimit"
        case HF_STEP_OOM_SCORE.rawValue: "oom_score_adj"
        case HF_STEP_NICENESS.rawValue: "setpriority"
        case HF_STEP_GROUPS.rawValue: "setgroups"
        case HF_STEP_GROUP.rawValue: "setresgid"
        case HF_STEP_USER.rawValue: "setresuid"
        case HF_STEP_CAPABILITIES.rawValue: "capset"
        case HF_STEP_WORKING_DIRECTORY.rawValue: "chdir"
        case HF_STEP_NO_NEW_PRIVILEGES.rawValue: "no_new_privs"
        default: "exec"
        }
    }
}
