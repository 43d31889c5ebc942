package import ControlProtocol
import MonotonicTime
package import SelfPreservation

extension Duration {
    var inWholeMilliseconds: Int { Int(wholeNanoseconds / 1_000_000) }
}

extension PreservationPolicy: JSONConvertible {
    private enum Key: String {
        case temperature, quantities, forecast
        case belowLimit = "below_limit"
        case shedInterval = "shed_interval_ms"
        case restoreInterval = "restore_interval_ms"
        case sensorTimeout = "sensor_timeout_ms"
        case frozenAfter = "frozen_after_ms"
        case blindHold = "blind_hold_ms"
        case blindLevel = "blind_level"
    }

    package init(json: JSONValue) throws(JSONError) {
        let gauges: [QuantityRule] = try json.required(Key.quantities)
        let frozenAfter: Int? = try json.optional(Key.frozenAfter)
        self.init(
            temperature: try json.required(Key.temperature), belowLimit: try json.optional(Key.belowLimit),
            quantities: Dictionary(gauges.map { ($0.quantity, $0.ladder) }) { $1 },
            shedInterval: .milliseconds(try json.required(Key.shedInterval) as Int),
            restoreInterval: .milliseconds(try json.required(Key.restoreInterval) as Int),
            forecast: try json.optional(Key.forecast),
            sensorTimeout: .milliseconds(try json.required(Key.sensorTimeout) as Int),
            frozenAfter: frozenAfter.map { .milliseconds($0) },
            blindHold: .milliseconds(try json.required(Key.blindHold) as Int),
            blindLevel: try json.required(Key.blindLevel))
    }

    package var json: JSONValue {
        let gauges = quantities.map { QuantityRule(quantity: $0.key, ladder: $0.value) }
        return .object([
            Key.temperature: temperature, .belowLimit: belowLimit,
            .quantities: gauges.sorted { $0.quantity.name < $1.quantity.name },
            .shedInterval: shedInterval.inWholeMilliseconds, .restoreInterval: restoreInterval.inWholeMilliseconds,
            .forecast: forecast, .sensorTimeout: sensorTimeout.inWholeMilliseconds,
            .frozenAfter: frozenAfter?.inWholeMilliseconds, .blindHold: blindHold.inWholeMilliseconds,
            .blindLevel: blindLevel,
        ])
    }
}

/// An entry of `PreservationPolicy.quantities`.
private struct QuantityRule: JSONConvertible {
    var quantity: Quantity
    var ladder: LadderPolicy

    private enum Key: String { case quantity, ladder }

    init(quantity: Quantity, ladder: LadderPolicy) {
        self.quantity = quantity
        self.ladder = ladder
    }

    init(json: JSONValue) throws(JSONError) {
        let name: String = try json.required(Key.quantity)
        guard let quantity = Quantity(name: name) else {
            throw JSONError(.wrongType, at: Key.quantity.rawValue, "must be something that is measured, not \(name)")
        }
        self.quantity = quantity
        ladder = try json.required(Key.ladder)
    }

    var json: JSONValue { .object([Key.quantity: quantity.name, .ladder: ladder]) }
}

extension LadderPolicy: JSONConvertible {
    private enum Key: String {
        case thresholds
        case dwell = "dwell_ms"
    }
    private enum ThresholdKey: String { case enter, leave }

    package init(json: JSONValue) throws(JSONError) {
        let members: JSONObject = try json.required(Key.thresholds)
        var thresholds: [Level: Threshold] = [:]
        for member in members.members {
            guard let level = Level(name: member.key) else { continue }
            thresholds[level] = Threshold(
                enter: try member.value.required(ThresholdKey.enter),
                leave: try member.value.required(ThresholdKey.leave))
        }
        self.init(thresholds, dwell: .milliseconds(try json.required(Key.dwell) as Int))
    }

    package var json: JSONValue {
        let members = thresholds.sorted { $0.key < $1.key }.map {
            JSONObject.Member(
                key: $0.key.name, value: .object([ThresholdKey.enter: $0.value.enter, .leave: $0.value.leave]))
        }
        return .object([Key.thresholds: JSONObject(members), .dwell: dwell.inWholeMilliseconds])
    }
}

extension ForecastPolicy: JSONConvertible {
    private enum Key: String {
        case tolerance
        case horizon = "horizon_ms"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            horizon: .milliseconds(try json.required(Key.horizon) as Int), tolerance: try json.required(Key.tolerance))
    }

    package var json: JSONValue { .object([Key.horizon: horizon.inWholeMilliseconds, .tolerance: tolerance]) }
}

extension Level: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        let name = try String(json: json)
        guard let level = Level(name: name) else {
            throw JSONError(.wrongType, at: "", "must be a level, not \(name)")
        }
        self = level
    }

    package var json: JSONValue { .string(name) }
}
