import ControlProtocol

/// How the states of the interface look. A state that a newer runtime may add is shown plainly.
enum StateText {
    static func words(_ state: String) -> String {
        StateCounts.words(state).escapedForTerminal
    }

    static func style(ofWorker state: String) -> Style {
        switch state {
        case "ready": .good
        case "running", "starting", "waiting": .active
        case "paused", "held", "stopping", "backing-off": .caution
        case "failed": .bad
        case "stopped", "finished": .faint
        default: .plain
        }
    }

    static func style(ofSupervisor state: String) -> Style {
        switch state {
        case "stopping": .caution
        case "parked": .bad
        default: .faint
        }
    }

    static func style(ofEvent kind: String) -> Style {
        switch kind {
        case "worker-failed", "intensity-exceeded", "group-abandoned": .bad
        case "output-lost", "events-lost", "notify-refused", "warning", "runtime-stopping", "group-restarted": .caution
        case "worker-recovered": .good
        case "worker-changed": .faint
        default: .plain
        }
    }
}
