import ControlProtocol
import FleetAPI
import MonotonicTime

/// Events as they lie in the spool and go to central (docs/fleet-protocol.md, "Records").
enum EventRecord {
    private enum Key: String {
        case time = "t"
        case boot = "b"
        case sinceBoot = "m"
        case kind = "e"
        case worker = "w"
        case event, incident, id, state, message, result, reason, count
        case uplinkKind = "kind"
    }

    /// Put where they are looked for: see `EventPosition`.
    static let runtimeMark = Array("\"e\":\"runtime\"".utf8)

    static func runtime(_ event: EventReport, _ boot: BootClock) -> [UInt8] {
        record(
            "runtime", time: Int64(event.time * 1000), sinceBoot: Int64(event.monotonic * 1000), boot,
            worker: event.worker, [Key.event.rawValue: event.json])
    }

    static func incident(_ incident: IncidentReport, of event: EventReport, _ boot: BootClock) -> [UInt8] {
        record(
            "incident", time: Int64(event.time * 1000), sinceBoot: Int64(event.monotonic * 1000), boot,
            worker: incident.worker, [Key.incident.rawValue: incident.json])
    }

    static func command(
        id: String, state: CommandState, message: String?, result: JSONValue?, _ boot: BootClock,
        at now: MonotonicInstant
    ) -> [UInt8] {
        var more: JSONObject = [Key.id.rawValue: .string(id), Key.state.rawValue: .string(state.rawValue)]
        more[Key.message.rawValue] = message.map { .string($0) }
        more[Key.result.rawValue] = result
        return record("command", boot, at: now, more)
    }

    static func loss(reason: String, count: Int, _ boot: BootClock, at now: MonotonicInstant) -> [UInt8] {
        record("loss", boot, at: now, [Key.reason.rawValue: .string(reason), Key.count.rawValue: .int(Int64(count))])
    }

    static func uplink(kind: String, message: String, _ boot: BootClock, at now: MonotonicInstant) -> [UInt8] {
        record(
            "uplink", boot, at: now, [Key.uplinkKind.rawValue: .string(kind), Key.message.rawValue: .string(message)])
    }

    private static func record(
        _ kind: String, _ boot: BootClock, at now: MonotonicInstant, _ more: JSONObject
    ) -> [UInt8] {
        record(kind, time: BootClock.wallMilliseconds, sinceBoot: BootClock.sinceBoot(now), boot, worker: nil, more)
    }

    private static func record(
        _ kind: String, time: Int64, sinceBoot: Int64, _ boot: BootClock, worker: String?, _ more: JSONObject
    ) -> [UInt8] {
        var object: JSONObject = [
            Key.kind.rawValue: .string(kind), Key.time.rawValue: .int(time), Key.boot.rawValue: .string(boot.shortID),
            Key.sinceBoot.rawValue: .int(sinceBoot),
        ]
        object[Key.worker.rawValue] = worker.map { .string($0) }
        for member in more.members { object[member.key] = member.value }
        return JSONValue.object(object).serialised()
    }
}
