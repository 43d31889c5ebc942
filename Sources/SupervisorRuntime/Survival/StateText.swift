import ControlProtocol
import MonotonicTime
import Supervision

/// The words of the state file (docs/state-format.md).
enum StateText {
    static func text(_ exit: ExitStatus) -> String {
        switch exit {
        case .exited(let code): "exited:\(code)"
        case .signaled(let signal, let coreDumped): "\(coreDumped ? "dumped" : "killed"):\(signal.rawValue)"
        case .unknown: "unknown"
        }
    }

    static func exit(_ text: String) -> ExitStatus? {
        let parts = text.split(separator: ":", maxSplits: 1)
        switch (parts.first, parts.count == 2 ? Int32(parts[1]) : nil) {
        case ("exited", let code?): return .exited(code: code)
        case ("killed", let signal?): return .signaled(Signal(rawValue: signal), coreDumped: false)
        case ("dumped", let signal?): return .signaled(Signal(rawValue: signal), coreDumped: true)
        case ("unknown", nil): return .unknown
        default: return nil
        }
    }

    static func text(_ cause: FailureCause) -> String {
        switch cause {
        case .exited(let exit): text(exit)
        case .spawnFailed(let failure): "spawn:\(failure.errno):\(failure.step)"
        case .startTimedOut: "start-timeout"
        case .watchdogTimedOut: "watchdog-timeout"
        case .watchdogTriggered: "watchdog-trigger"
        // A word that the version before knows; `detail` says more.
        case .checkpointMissed, .unhealthy: "watchdog-timeout"
        }
    }

    /// What of a failure the version before does not know: it stands beside `text`, which that one reads.
    static func detail(_ cause: FailureCause) -> String? {
        switch cause {
        case .checkpointMissed(let name, let longest): "checkpoint:\(longest.wholeNanoseconds):\(name)"
        case .unhealthy(let reason): "unhealthy:\(reason)"
        case .exited, .spawnFailed, .startTimedOut, .watchdogTimedOut, .watchdogTriggered: nil
        }
    }

    /// `nil` for a detail that only a newer version knows.
    static func cause(fromDetail text: String) -> FailureCause? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "unhealthy": return .unhealthy(String(parts[1]))
        case "checkpoint":
            let rest = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard rest.count == 2, let longest = Int64(rest[0]) else { return nil }
            return .checkpointMissed(String(rest[1]), within: .nanoseconds(longest))
        default: return nil
        }
    }

    static func cause(_ text: String) -> FailureCause? {
        switch text {
        case "start-timeout": return .startTimedOut
        case "watchdog-timeout": return .watchdogTimedOut
        case "watchdog-trigger": return .watchdogTriggered
        default: break
        }
        let parts = text.split(separator: ":", maxSplits: 2)
        if parts.count == 3, parts[0] == "spawn", let errno = Int32(parts[1]) {
            return .spawnFailed(SpawnFailure(step: String(parts[2]), errno: errno))
        }
        return exit(text).map { .exited($0) }
    }

    static func text(_ phase: WorkerPhase) -> String { phase.state.rawValue }

    static func text(_ purpose: Stop.Purpose) -> String {
        switch purpose {
        case .requested: "requested"
        case .failure(let cause): "failure:\(text(cause))"
        case .announced: "announced"
        case .ended: "ended"
        }
    }

    static func purpose(_ text: String) -> Stop.Purpose? {
        switch text {
        case "requested": .requested
        case "announced": .announced
        case "ended": .ended
        default: text.hasPrefix("failure:") ? cause(String(text.dropFirst(8))).map { .failure($0) } : nil
        }
    }
}
