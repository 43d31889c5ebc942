import ControlProtocol

/// What an operator should know of a worker beyond its state: the exact schedule, why it waits, how it last ended.
enum WorkerNotes {
    /// The states from which the runtime will start the worker again by itself or on request.
    private static let down: Set<String> = ["backing-off", "failed", "held", "waiting"]

    static func text(_ worker: WorkerReport) -> String {
        var notes = hold(worker) + schedule(worker)
        if let exit = worker.lastExit, down.contains(worker.state) || worker.failuresForgotten != nil {
            notes.append("last: \(exit.message.escapedForTerminal)")
        }
        if let status = worker.statusText, !status.isEmpty { notes.append("“\(status.escapedForTerminal)”") }
        return notes.joined(separator: ", ")
    }

    /// The state and what is to be known of it: "paused for the operator", "failed, next try in 4 s".
    static func sentence(_ worker: WorkerReport, _ palette: Palette) -> String {
        let words = StateText.words(worker.state)
        let state = palette(StateText.style(ofWorker: worker.state), words)
        let notes = text(worker)
        if notes.isEmpty { return state }
        return notes.hasPrefix("\(words) for ") ? state + notes.dropFirst(words.count) : "\(state), \(notes)"
    }

    /// Why it does not run although it is wanted.
    private static func hold(_ worker: WorkerReport) -> [String] {
        if let reason = worker.heldFor {
            switch worker.state {
            case "held": return ["held for \(inWords([reason]))"]
            case "waiting":
                return [(reason.hasPrefix("after ") ? "starts " : "held: ") + reason.escapedForTerminal]
            case "failed": return [reason.escapedForTerminal]
            default: break
            }
        }
        return worker.pauseReasons.isEmpty ? [] : ["paused for \(inWords(worker.pauseReasons))"]
    }

    private static func schedule(_ worker: WorkerReport) -> [String] {
        var notes: [String] = []
        if let next = worker.nextAttempt {
            notes.append("next try \(DurationText.inThen(next))")
        } else if worker.state == "failed" {
            notes.append("no further try (holdfast worker start \(worker.name))")
        }
        // Attempts only matter once some were used.
        if let left = worker.attemptsLeft, worker.state == "backing-off" || worker.failuresForgotten != nil {
            notes.append(left == 1 ? "1 attempt left" : "\(left) attempts left")
        }
        if let forgotten = worker.failuresForgotten {
            notes.append("failures forgotten \(DurationText.inThen(forgotten))")
        }
        return notes
    }

    private static func inWords(_ reasons: [String]) -> String {
        reasons.map { $0 == "operator" ? "the operator" : $0.escapedForTerminal }.joined(separator: " and ")
    }
}
