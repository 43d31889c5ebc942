package import ControlProtocol

/// What central wants of a device.
package struct HeartbeatReply: Equatable, Sendable, JSONConvertible {
    /// Central's clock, in milliseconds since 1970.
    package var time: Int64
    /// Seconds between heartbeats, and for which a request for commands waits.
    package var heartbeat: Double
    package var poll: Double
    /// Old data is sent no faster; 0 is no bound.
    package var drainBytesPerSecond: Int
    /// What an operator has set at central; `nil` where the device is right.
    package var labels: JSONObject?
    /// Of the last command that waits; 0 for none.
    package var commandSequence: UInt64

    package init(
        time: Int64, heartbeat: Double, poll: Double, drainBytesPerSecond: Int, labels: JSONObject?,
        commandSequence: UInt64
    ) {
        self.time = time
        self.heartbeat = heartbeat
        self.poll = poll
        self.drainBytesPerSecond = drainBytesPerSecond
        self.labels = labels
        self.commandSequence = commandSequence
    }

    private enum Key: String {
        case time = "time_ms"
        case heartbeat = "heartbeat_s"
        case poll = "poll_s"
        case drain = "drain_bytes_per_s"
        case labels
        case commandSequence = "command_sequence"
    }

    package init(json: JSONValue) throws(JSONError) {
        time = Int64(try json.required(Key.time) as Int)
        heartbeat = try json.required(Key.heartbeat)
        poll = try json.required(Key.poll)
        drainBytesPerSecond = try json.optional(Key.drain) ?? 0
        labels = try json.optional(Key.labels)
        commandSequence = UInt64(clamping: try json.optional(Key.commandSequence) ?? 0 as Int)
    }

    package var json: JSONValue {
        .object([
            Key.time: Int(time), .heartbeat: heartbeat, .poll: poll, .drain: drainBytesPerSecond, .labels: labels,
            .commandSequence: Int(clamping: commandSequence),
        ])
    }
}
