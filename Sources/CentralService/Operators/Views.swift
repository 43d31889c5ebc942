import CentralStore
import ControlProtocol
import FleetAPI

/// What operators get to see, as JSON (docs/openapi.yaml). Texts in it may come from devices: escape them before they go
/// into a page or a terminal.
enum View {
    private enum Key: String {
        case id, name, state, labels, facts, version, boot, forked, connected, online, report, spools, body, kind,
            worker
        case device, sequence, message, result, attachment, payload, target, devices, counts, value, queue, spool, first
        case last, actor, action, detail
        case up = "up_s"
        case enrolledAt = "enrolled_ms"
        case lastSeen = "last_seen_ms"
        case skew = "skew_ms"
        case timeMs = "time_ms"
        case receivedAt = "received_ms"
        case createdAt = "created_ms"
        case createdBy = "created_by"
        case expiresAt = "expires_ms"
        case updatedAt = "updated_ms"
        case monotonic = "monotonic_ms"
        case isRepeat = "repeat"
    }

    static func device(_ device: Device, presence: Central.Presence) -> JSONValue {
        .object([
            Key.id: device.identity.id, .name: device.name, .state: device.identity.state.rawValue,
            .online: presence.isOnline, .connected: presence.isConnected,
            .lastSeen: presence.lastSeen.map { Int($0) }, .enrolledAt: Int(device.enrolledAt),
            .labels: device.labels, .facts: device.facts, .version: device.version, .boot: device.boot,
            .up: device.up, .skew: device.skew.map { Int($0) }, .forked: device.isForked, .report: device.state,
            .spools: device.spools,
        ])
    }

    static func reading(_ reading: StoredReading) -> JSONValue {
        .object([
            Key.worker: reading.series.worker, .name: reading.series.name, .timeMs: Int(reading.time),
            .value: value(reading.value), .boot: reading.boot, .monotonic: Int(reading.monotonic),
            .skew: Int(reading.skew), .isRepeat: reading.isRepeat,
        ])
    }

    static func value(_ value: ReadingValue) -> JSONValue {
        switch value {
        case .int(let int): .int(int)
        case .double(let double): .double(double)
        case .bool(let bool): .bool(bool)
        case .text(let text): .string(text)
        }
    }

    static func event(_ event: StoredEvent) -> JSONValue {
        .object([
            Key.id: Int(event.id), .device: event.device, .timeMs: Int(event.time), .receivedAt: Int(event.receivedAt),
            .kind: event.kind, .worker: event.worker, .isRepeat: event.isRepeat, .body: event.body,
        ])
    }

    static func incident(_ incident: StoredIncident) -> JSONValue {
        .object([
            Key.id: Int(incident.id), .device: incident.device, .timeMs: Int(incident.time),
            .receivedAt: Int(incident.receivedAt), .worker: incident.worker, .body: incident.body,
        ])
    }

    /// - Parameter progress: by device; `nil` in lists.
    static func command(_ command: StoredCommand, progress: [CommandProgress]? = nil) -> JSONValue {
        let counts = CommandState.allCases.compactMap { state in
            command.counts[state].map { JSONObject.Member(key: state.rawValue, value: .int(Int64($0))) }
        }
        var object: JSONObject = [
            Key.id.rawValue: .string(command.id), Key.kind.rawValue: .string(command.kind),
            Key.payload.rawValue: .object(command.payload), Key.createdAt.rawValue: .int(command.createdAt),
            Key.expiresAt.rawValue: command.expiresAt.map { .int($0) } ?? .null,
            Key.createdBy.rawValue: .string(command.createdBy), Key.target.rawValue: .string(command.target),
            Key.counts.rawValue: .object(JSONObject(counts)),
        ]
        if let progress { object[Key.devices.rawValue] = .array(progress.map(Self.progress)) }
        return .object(object)
    }

    private static func progress(_ progress: CommandProgress) -> JSONValue {
        .object([
            Key.device: progress.device, .sequence: Int(clamping: progress.sequence), .state: progress.state.rawValue,
            .message: progress.message, .result: progress.result, .updatedAt: Int(progress.updatedAt),
            .attachment: progress.hasAttachment,
        ])
    }

    static func gap(_ gap: StoredGap) -> JSONValue {
        .object([
            Key.queue: gap.queue, .spool: gap.spool, .first: Int(clamping: gap.first), .last: Int(clamping: gap.last),
            .receivedAt: Int(gap.receivedAt),
        ])
    }

    static func audit(_ entry: AuditEntry) -> JSONValue {
        .object([
            Key.id: Int(entry.id), .timeMs: Int(entry.time), .actor: entry.actor, .action: entry.action,
            .target: entry.target, .detail: entry.detail,
        ])
    }

    /// A list under a name, and where the next page begins.
    static func page(_ name: String, _ items: [JSONValue], next: JSONValue) -> JSONObject {
        [name: .array(items), "next": next]
    }
}
