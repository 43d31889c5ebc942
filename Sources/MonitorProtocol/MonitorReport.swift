package import ControlProtocol
package import SelfPreservation

/// What `holdfast-monitor` tells `holdfastd`, or asks of it: all that it may do.
package enum MonitorReport: Equatable, Sendable {
    /// It has its settings and watches.
    case ready
    /// Pause a worker. An essential one is not paused, whatever is asked.
    case shed(worker: String, Cause)
    case restore(worker: String, Cause)
    /// Give workers less of the processor, or as much as before.
    case throttle(Bool)
    /// - `why`: in a person's words, such as "coretemp/Package id 0 is at 91.0 °C, from 90.0 °C on work is shed".
    case levelChanged(Cause, from: Level, to: Level, why: String)
    /// Something about the hardware or a probe that belongs into the log.
    case noted(Note, worker: String?, message: String)
    /// A probe has failed as often as is allowed.
    case unhealthy(worker: String, instance: UInt64, reason: String)
    /// - `part`: of the answer's text. Parts come in order and at once.
    case answer(id: Int, part: String, isLast: Bool)
    /// Something an operator should know, such as "there is no libsensors here".
    case warning(String)
    /// From a newer monitor.
    case unknown(type: String)

    package enum Note: String, CaseIterable, Sendable {
        case sensorFailed = "sensor-failed"
        case sensorRecovered = "sensor-recovered"
        case sensorsLost = "sensors-lost"
        case probeFailed = "probe-failed"
        case probeRecovered = "probe-recovered"
    }
}

extension MonitorReport: JSONConvertible {
    private enum Key: String {
        case type, worker, cause, from, to, why, on, note, message, instance, reason, id, part, last
    }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "ready": self = .ready
        case "shed": self = .shed(worker: try json.required(Key.worker), try json.required(Key.cause))
        case "restore": self = .restore(worker: try json.required(Key.worker), try json.required(Key.cause))
        case "throttle": self = .throttle(try json.required(Key.on))
        case "level-changed":
            self = .levelChanged(
                try json.required(Key.cause), from: try json.required(Key.from), to: try json.required(Key.to),
                why: try json.required(Key.why))
        case "noted":
            let name: String = try json.required(Key.note)
            guard let note = Note(rawValue: name) else { fallthrough }
            self = .noted(note, worker: try json.optional(Key.worker), message: try json.required(Key.message))
        case "unhealthy":
            self = .unhealthy(
                worker: try json.required(Key.worker),
                instance: UInt64(clamping: try json.required(Key.instance) as Int),
                reason: try json.required(Key.reason))
        case "answer":
            self = .answer(
                id: try json.required(Key.id), part: try json.required(Key.part), isLast: try json.required(Key.last))
        case "warning": self = .warning(try json.required(Key.message))
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .ready: .object([Key.type: "ready"])
        case .shed(let worker, let cause): .object([Key.type: "shed", .worker: worker, .cause: cause])
        case .restore(let worker, let cause): .object([Key.type: "restore", .worker: worker, .cause: cause])
        case .throttle(let isOn): .object([Key.type: "throttle", .on: isOn])
        case .levelChanged(let cause, let from, let to, let why):
            .object([Key.type: "level-changed", .cause: cause, .from: from, .to: to, .why: why])
        case .noted(let note, let worker, let message):
            .object([Key.type: "noted", .note: note.rawValue, .worker: worker, .message: message])
        case .unhealthy(let worker, let instance, let reason):
            .object([Key.type: "unhealthy", .worker: worker, .instance: Int(clamping: instance), .reason: reason])
        case .answer(let id, let part, let isLast):
            .object([Key.type: "answer", .id: id, .part: part, .last: isLast])
        case .warning(let message): .object([Key.type: "warning", .message: message])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}

extension Cause: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        let name = try String(json: json)
        guard let cause = Cause(rawValue: name) else {
            throw JSONError(.wrongType, at: "", "must be a cause, not \(name)")
        }
        self = cause
    }

    package var json: JSONValue { .string(rawValue) }
}
