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
