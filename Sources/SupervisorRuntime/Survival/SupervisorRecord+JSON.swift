import ControlProtocol
import MonotonicTime
import Supervision

extension SupervisorRecord {
    var stateText: [UInt8] {
        var writer = StateWriter()
        writer.add("name", name)
        switch phase {
        case .down: writer.add("phase", "down")
        case .waiting: writer.add("phase", "waiting")
        case .up: writer.add("phase", "up")
        case .parked(let until):
            writer.add("phase", "parked")
            writer.add("until", until)
        }
        switch scope {
        case nil: break
        case .startAgain: writer.add("scope", "start-again")
        case .park(let retryAfter):
            writer.add("scope", "park")
            writer.add("retry_after_ns", retryAfter)
        case .escalate: writer.add("scope", "escalate")
        case .down: writer.add("scope", "down")
        }
        writer.add("all_scoped", areAllScoped)
        writer.add("scoped", texts: scoped)
        writer.add("restarts", restarts)
        writer.add("owes_restart", owesRestart)
        writer.add("skips_gate", skipsGate)
        return writer.object
    }

    init(stateJSON json: JSONValue) throws(JSONError) {
        let reader = StateReader(json: json)
        self.init(name: try reader.text("name"))
        let until = try reader.optionalInstant("until")
        phase = try reader.word("phase") { word -> SupervisorPhase? in
            switch word {
            case "down": .down
            case "waiting": .waiting
            case "up": .up
            case "parked": .parked(until: until)
            default: nil
            }
        }
        let retryAfter = try reader.optionalDuration("retry_after_ns")
        scope = try reader.optionalWord("scope") { word -> ScopePurpose? in
            switch word {
            case "start-again": .startAgain
            case "park": .park(retryAfter: retryAfter)
            case "escalate": .escalate
            case "down": .down
            default: nil
            }
        }
        areAllScoped = try reader.flag("all_scoped")
        scoped = try reader.texts("scoped")
        for restart in try reader.list("restarts") {
            guard let pair = restart.arrayValue, pair.count == 2, let child = pair[0].stringValue,
                let at = pair[1].intValue
            else { throw JSONError(.wrongType, at: "restarts", "must be pairs of a name and an instant") }
            restarts.append(Restart(child: child, at: MonotonicInstant(nanoseconds: Int64(at))))
        }
        owesRestart = try reader.flag("owes_restart")
        skipsGate = try reader.flag("skips_gate")
    }
}
