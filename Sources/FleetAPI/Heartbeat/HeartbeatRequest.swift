package import ControlProtocol

/// `POST /device/heartbeat`.
package struct HeartbeatRequest: Equatable, Sendable, JSONConvertible {
    /// The boot id, as the kernel writes it.
    package var boot: String
    package var up: Double
    /// The device's clock as it is, in milliseconds since 1970.
    package var now: Int64
    package var version: String
    package var facts: JSONObject
    package var labels: JSONObject
    /// Central has acknowledged what this device never wrote.
    package var isForked: Bool
    package var state: JSONObject
    /// By queue.
    package var spools: JSONObject

    package init(
        boot: String, up: Double, now: Int64, version: String, facts: JSONObject, labels: JSONObject, isForked: Bool,
        state: JSONObject, spools: JSONObject
    ) {
        self.boot = boot
        self.up = up
        self.now = now
        self.version = version
        self.facts = facts
        self.labels = labels
        self.isForked = isForked
        self.state = state
        self.spools = spools
    }

    private enum Key: String {
        case boot, up = "up_s", now = "now_ms", version, facts, labels, forked, state, spools
    }

    package init(json: JSONValue) throws(JSONError) {
        boot = try json.required(Key.boot)
        up = try json.required(Key.up)
        now = Int64(try json.required(Key.now) as Int)
        version = try json.required(Key.version)
        facts = try json.optional(Key.facts) ?? [:]
        labels = try json.optional(Key.labels) ?? [:]
        isForked = try json.optional(Key.forked) ?? false
        state = try json.optional(Key.state) ?? [:]
        spools = try json.optional(Key.spools) ?? [:]
    }

    package var json: JSONValue {
        .object([
            Key.boot: boot, .up: up, .now: Int(now), .version: version, .facts: facts, .labels: labels,
            .forked: isForked, .state: state, .spools: spools,
        ])
    }
}
