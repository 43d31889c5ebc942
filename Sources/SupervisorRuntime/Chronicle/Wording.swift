import ControlProtocol
import LinuxSystem
import Supervision

/// The tree's reports in the words of the control interface, and in sentences for people.
enum Wording {
    static func exit(_ status: ExitStatus?, _ cause: FailureCause?) -> ExitReport? {
        switch (cause, status) {
        case (nil, nil):
            return nil
        case (nil, let status?):
            return exit(status, cause: "requested", message: "\(sentence(status)) as asked")
        case (.exited(let status), _):
            return exit(status, cause: kind(of: status), message: sentence(status))
        case (.spawnFailed(let failure), _):
            return ExitReport(
                status: "unknown", code: nil, signal: nil, cause: "spawn-failed", message: sentence(failure))
        case (.startTimedOut, let status):
            return exit(status ?? .unknown, cause: "start-timeout", message: "was not ready in time")
        case (.watchdogTimedOut, let status):
            return exit(status ?? .unknown, cause: "watchdog", message: "sent no watchdog ping in time")
        case (.watchdogTriggered, let status):
            return exit(status ?? .unknown, cause: "watchdog-trigger", message: "declared itself hung")
        case (.checkpointMissed, let status):
            return exit(status ?? .unknown, cause: "checkpoint", message: cause.map(sentence) ?? "")
        case (.unhealthy, let status):
            return exit(status ?? .unknown, cause: "unhealthy", message: cause.map(sentence) ?? "")
        }
    }

    private static func exit(_ status: ExitStatus, cause: String, message: String) -> ExitReport {
        switch status {
        case .exited(let code):
            ExitReport(status: "exited", code: Int(code), signal: nil, cause: cause, message: message)
        case .signaled(let signal, _):
            ExitReport(
                status: "signaled", code: nil, signal: SignalNumber.name(signal.rawValue), cause: cause,
                message: message)
        case .unknown:
            ExitReport(status: "unknown", code: nil, signal: nil, cause: cause, message: message)
        }
    }

    private static func kind(of status: ExitStatus) -> String {
        switch status {
        case .exited: "exit"
        case .signaled: "signal"
        case .unknown: "unknown"
        }
    }

    static func sentence(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): "exited with status \(code)"
        case .signaled(let signal, let coreDumped):
            "was ended by \(SignalNumber.name(signal.rawValue))" + (coreDumped ? " (core dumped)" : "")
        case .unknown: "ended in a way that the kernel no longer tells"
        }
    }

    static func sentence(_ exit: ProcessExit) -> String {
        switch exit {
        case .exited(let code): "ended with status \(code)"
        case .signaled(let signal, _): "was ended by \(SignalNumber.name(signal))"
        case .unknown: "ended, and nobody knows how"
        }
    }

    /// Why what a process was for was not done, to be said of it; `nil` when it was.
    static func failure(of end: TransientProcess.End) -> String? {
        if let failure = end.failure { return sentence(failure) }
        return end.exit == .exited(code: 0) ? nil : sentence(end.exit)
    }

    static func sentence(_ failure: SpawnFailure) -> String {
        let error = SystemError.text(of: failure.errno)
        return switch failure.step {
        case "exec": "its program could not be executed: \(error)"
        case SupervisorRuntime.unknownUserStep: "its user, or one of its groups, does not exist on this machine"
        case "chdir": "its working directory could not be entered: \(error)"
        case let step where step.hasPrefix("sandbox: "):
            "its \(step): \(error)\(sandboxHint(failure))"
        default: "could not be started (\(failure.step): \(error))"
        }
    }

    private static func sandboxHint(_ failure: SpawnFailure) -> String {
        switch (failure.step, failure.errno) {
        case (_, SystemError.notImplemented): " (paths take Linux 5.12)"
        case ("sandbox: unshare", _), ("sandbox: write uid_map", _):
            SystemCall.effectiveUserID() == 0
                ? " (it takes namespaces, and CAP_SYS_ADMIN to make them)"
                : " (without root it takes user namespaces, which this machine does not allow)"
        default: ""
        }
    }

    static func sentence(_ cause: FailureCause) -> String {
        switch cause {
        case .exited(let status): sentence(status)
        case .spawnFailed(let failure): sentence(failure)
        case .startTimedOut: "was not ready in time"
        case .watchdogTimedOut: "sent no watchdog ping in time"
        case .watchdogTriggered: "declared itself hung"
        case .checkpointMissed(let name, let longest): "no checkpoint \(name) for \(duration(longest))"
        case .unhealthy(let reason): "unhealthy: \(reason)"
        }
    }

    static func sentence(_ outOfMemory: OutOfMemory) -> String {
        switch outOfMemory {
        case .ownLimit: "was killed by the kernel: it needed more than its memory_max"
        case .machine: "was killed by the kernel: the machine ran out of memory"
        }
    }

    /// The failure with how long the program had run, if it ever did.
    static func sentence(_ cause: FailureCause, after ranFor: Duration) -> String {
        switch cause {
        case .spawnFailed: sentence(cause)
        // Of these it would read as part of the reason.
        case .checkpointMissed, .unhealthy: "\(sentence(cause)) (\(duration(ranFor)) after its start)"
        case .exited, .startTimedOut, .watchdogTimedOut, .watchdogTriggered:
            "\(sentence(cause)) after \(duration(ranFor))"
        }
    }

    /// The action's name on the wire, and a sentence about it.
    static func action(_ consequence: Consequence) -> (name: String, sentence: String) {
        switch consequence {
        case .restartedAtOnce: ("restarted-at-once", "restarted at once")
        case .restartAfter(let wait): ("restart-after", "restarted after \(duration(wait))")
        case .restartedWithGroup:
            ("restarted-with-group", "restarted with its siblings, as its supervisor's strategy asks")
        case .held: ("held", "held until its pause reasons are gone")
        case .gaveUp(let retryAfter?): ("gave-up", "given up for now, tried again after \(duration(retryAfter))")
        case .gaveUp(nil): ("gave-up", "given up until an operator starts it")
        case .supervisorParked: ("supervisor-parked", "its supervisor's restart intensity is exceeded: parked")
        case .supervisorEscalated: ("supervisor-escalated", "its supervisor's restart intensity is exceeded: escalated")
        case .leftDown: ("left-down", "left down")
        }
    }

    /// The same for a restart that was refused, so that "given up" says by whom.
    static func refusal(_ consequence: Consequence) -> (name: String, sentence: String) {
        let (name, sentence) = action(consequence)
        guard case .gaveUp = consequence else { return (name, sentence) }
        return (name, "its restart intensity is exceeded: \(sentence)")
    }

    /// Who exceeded which allowance, and what follows for whom.
    static func sentence(_ refused: RefusedRestart, by supervisor: String, _ reaction: IntensityReaction) -> String {
        let allowance = "\(refused.intensity.maxRestarts) in \(duration(refused.intensity.within))"
        let isAlone = refused.intensity.scope == .perChild
        let head =
            "restart intensity exceeded (\(allowance)) "
            + (isAlone ? "by \(refused.child)" : "when \(refused.child) failed")
        let parked = isAlone ? refused.child : supervisor
        return switch reaction {
        case .park(let retryAfter?): "\(head): \(parked) is parked, tried again in \(duration(retryAfter))"
        case .park(nil):
            isAlone && refused.worker != nil
                ? "\(head): \(parked) is parked until an operator starts it"
                : "\(head): \(parked) is parked until an operator starts a worker of it"
        case .escalate: "\(head): \(supervisor) escalates to its parent"
        }
    }

    /// A duration as people say it: "250 ms", "1.5 s", "5 min", "2 h".
    static func duration(_ duration: Duration) -> String {
        let milliseconds = Int(duration / .milliseconds(1))
        switch milliseconds {
        case ..<1000: return "\(milliseconds) ms"
        case ..<120_000:
            let tenths = milliseconds / 100
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        case ..<7_200_000: return "\(milliseconds / 60_000) min"
        default: return "\(milliseconds / 3_600_000) h"
        }
    }
}
