import CentralStore
import ControlProtocol
import FleetAPI
import Rollout

/// What operators get to see, as JSON (docs/openapi.yaml). Texts in it may come from devices: escape them before they go
/// into a page or a terminal.
enum View {
    private enum Key: String {
        case id, name, state, labels, facts, version, boot, forked, connected, online, report, spools, body, kind,
            worker
        case device, sequence, message, result, attachment, payload, target, devices, counts, value, queue, spool, first
        case last, actor, action, detail, file, size, sha256, description, signed, bundle, command
        case uploadedAt = "uploaded_ms"
        case uploadedBy = "uploaded_by"
        case maxParallel = "max_parallel"
        case maxFailures = "max_failures"
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

    static func bundle(_ bundle: StoredBundle, _ signing: Signing) -> JSONValue {
        .object([
            Key.name: bundle.name, .version: bundle.version, .file: bundle.file, .size: bundle.size,
            .sha256: bundle.sha256, .description: bundle.description, .signed: signing.isSigned,
            .detail: signing.detail, .uploadedAt: Int(bundle.uploadedAt), .uploadedBy: bundle.uploadedBy,
        ])
    }

    /// - Parameter devices: `nil` in lists.
    static func deployment(_ deployment: StoredDeployment, devices: [DeploymentDevice]? = nil) -> JSONValue {
        let counts = DeploymentDevice.State.allCases.compactMap { state in
            deployment.counts[state].map { JSONObject.Member(key: state.rawValue, value: .int(Int64($0))) }
        }
        let (failed, rejected) = (deployment.counts[.failed] ?? 0, deployment.counts[.rejected] ?? 0)
        let reason =
            deployment.state == .halted
            ? "\(failed + rejected) devices have failed, and it goes on with \(deployment.limits.failures) at most"
            : nil
        var object: JSONObject = [
            Key.id.rawValue: .string(deployment.id), Key.kind.rawValue: .string(deployment.kind.rawValue),
            Key.bundle.rawValue: .string(deployment.bundle), Key.version.rawValue: deployment.version.json,
            Key.state.rawValue: .string(deployment.state.rawValue), Key.message.rawValue: reason.json,
            Key.payload.rawValue: .object(deployment.payload), Key.target.rawValue: .string(deployment.target),
            Key.maxParallel.rawValue: deployment.limits.parallel.json,
            Key.maxFailures.rawValue: deployment.limits.failures.json,
            Key.createdAt.rawValue: .int(deployment.createdAt), Key.createdBy.rawValue: .string(deployment.createdBy),
            Key.updatedAt.rawValue: .int(deployment.updatedAt), Key.counts.rawValue: .object(JSONObject(counts)),
        ]
        if let devices { object[Key.devices.rawValue] = .array(devices.map(Self.device)) }
        return .object(object)
    }

    private static func device(_ device: DeploymentDevice) -> JSONValue {
        .object([
            Key.device: device.device, .name: device.name, .state: device.state.rawValue,
            .message: device.message.isEmpty ? words(device.state) : device.message, .command: device.command,
            .updatedAt: Int(device.updatedAt),
        ])
    }

    /// Why, where nobody else has said it.
    private static func words(_ state: DeploymentDevice.State) -> String {
        switch state {
        case .sent: "the device has not answered yet"
        case .expired: "the device did not come for it in time"
        case .cancelled: "by an operator"
        case .waiting, .running, .committed, .failed, .rejected, .superseded: ""
        }
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
