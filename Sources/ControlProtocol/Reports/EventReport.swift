/// One thing that happened: type Event of the interface.
package struct EventReport: Equatable, Sendable {
    /// Without gaps, from 1 at the start of the runtime.
    package var sequence: Int
    /// Seconds since 1970 by the wall clock, which may be wrong or jump.
    package var time: Double
    /// Seconds since boot, without suspended time.
    package var monotonic: Double
    /// `worker-changed`, `worker-failed`, `worker-recovered`, `group-restarted`, `intensity-exceeded`,
    /// `supervisor-retried`, `incident-completed`, `group-abandoned`, `reloaded`, `output-lost`, `events-lost`,
    /// `notify-refused`, `runtime-started`, `runtime-adopted`, `runtime-upgrading`, `runtime-stopping`,
    /// `level-changed`, `throttled`, `alert`, `worker-shed`, `worker-restored`, `sensor-failed`,
    /// `sensor-recovered`, `probe-failed`, `probe-recovered` or `warning`.
    package var kind: String
    package var worker: String?
    package var supervisor: String?
    /// The event in one sentence.
    package var message: String
    /// More, by kind.
    package var details: JSONObject

    package init(
        sequence: Int, time: Double, monotonic: Double, kind: String, worker: String? = nil, supervisor: String? = nil,
        message: String, details: JSONObject = JSONObject()
    ) {
        self.sequence = sequence
        self.time = time
        self.monotonic = monotonic
        self.kind = kind
        self.worker = worker
        self.supervisor = supervisor
        self.message = message
        self.details = details
    }
}

extension EventReport: JSONConvertible {
    private enum Key: String {
        case sequence
        case time
        case monotonic
        case kind
        case worker
        case supervisor
        case message
        case details
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            sequence: try json.required(Key.sequence),
            time: try json.required(Key.time),
            monotonic: try json.required(Key.monotonic),
            kind: try json.required(Key.kind),
            worker: try json.optional(Key.worker),
            supervisor: try json.optional(Key.supervisor),
            message: try json.required(Key.message),
            details: try json.required(Key.details))
    }

    package var json: JSONValue {
        .object([
            Key.sequence: sequence,
            .time: time,
            .monotonic: monotonic,
            .kind: kind,
            .worker: worker,
            .supervisor: supervisor,
            .message: message,
            .details: details,
        ])
    }
}
