package import ControlProtocol
package import SelfPreservation

/// What `holdfast-monitor` works by: from the configuration, sent after its start and after each reload.
package struct MonitorSettings: Equatable, Sendable {
    package var runtimeName: String
    package var policy: PreservationPolicy
    /// Between two readings of a sensor.
    package var interval: Duration
    /// The first rule that matches a sensor's name counts.
    package var sensors: [SensorRule]
    /// Of the loopback interface, for Prometheus; `nil` for none.
    package var metricsPort: Int?
    /// Who is shed already, and for what: by a monitor before this one. Counts in the first settings only.
    package var shed: [Cause: [String]]

    package init(
        runtimeName: String, policy: PreservationPolicy, interval: Duration, sensors: [SensorRule] = [],
        metricsPort: Int? = nil, shed: [Cause: [String]] = [:]
    ) {
        self.runtimeName = runtimeName
        self.policy = policy
        self.interval = interval
        self.sensors = sensors
        self.metricsPort = metricsPort
        self.shed = shed
    }
}

/// What is special about the sensors with certain names.
package struct SensorRule: Equatable, Sendable {
    /// A glob(7) pattern of names, such as "coretemp-*/Core *".
    package var pattern: String
    /// Added to every reading, in its unit.
    package var offset: Double
    package var isIgnored: Bool

    package init(pattern: String, offset: Double = 0, isIgnored: Bool = false) {
        self.pattern = pattern
        self.offset = offset
        self.isIgnored = isIgnored
    }
}

extension SensorRule: JSONConvertible {
    private enum Key: String { case pattern, offset, ignored }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            pattern: try json.required(Key.pattern), offset: try json.required(Key.offset),
            isIgnored: try json.required(Key.ignored))
    }

    package var json: JSONValue { .object([Key.pattern: pattern, .offset: offset, .ignored: isIgnored]) }
}

extension MonitorSettings: JSONConvertible {
    private enum Key: String {
        case runtime, policy, sensors, shed
        case interval = "interval_ms"
        case metricsPort = "metrics_port"
    }

    package init(json: JSONValue) throws(JSONError) {
        let shed: JSONObject = try json.required(Key.shed)
        var byCause: [Cause: [String]] = [:]
        for member in shed.members {
            guard let cause = Cause(rawValue: member.key) else { continue }
            byCause[cause] = try [String](json: member.value)
        }
        self.init(
            runtimeName: try json.required(Key.runtime), policy: try json.required(Key.policy),
            interval: .milliseconds(try json.required(Key.interval) as Int),
            sensors: try json.required(Key.sensors), metricsPort: try json.optional(Key.metricsPort), shed: byCause)
    }

    package var json: JSONValue {
        let byCause = shed.sorted { $0.key < $1.key }.map {
            JSONObject.Member(key: $0.key.rawValue, value: $0.value.json)
        }
        return .object([
            Key.runtime: runtimeName, .policy: policy, .interval: interval.inWholeMilliseconds, .sensors: sensors,
            .metricsPort: metricsPort, .shed: JSONObject(byCause),
        ])
    }
}
