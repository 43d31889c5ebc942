import MonitorProtocol
import MonotonicTime
import SelfPreservation

/// What the core decides, in a person's words.
struct PreservationWording {
    let policy: PreservationPolicy
    let status: PreservationStatus

    /// Why a cause asks for its level, or for none any more.
    func why(_ cause: Cause) -> String {
        let level = status.causes.first { $0.cause == cause }?.level ?? .normal
        if cause == .heat {
            // Without one that speaks the last levels hold for a while.
            if status.isBlind, !status.sensors.contains(where: { $0.level == level && level > .normal }) {
                return "no temperature sensor says anything plausible; without one the level is \(level.name)"
            }
            return heat(level) + (status.isBlind ? "; no temperature sensor says anything plausible any more" : "")
        }
        let gauges = status.gauges.filter { $0.quantity.cause == cause && $0.value != nil }
        guard level > .normal else {
            let states = gauges.map { "\(PreservationWording.subject($0.quantity)) \(text($0.value, of: $0.quantity))" }
            return states.isEmpty
                ? "nothing asks for it any more" : states.joined(separator: ", ") + ", low enough for long enough"
        }
        guard let gauge = gauges.first(where: { $0.level == level }), let threshold = gauge.threshold else {
            return "it was bad, and is not known to be better"
        }
        return """
            \(PreservationWording.subject(gauge.quantity)) \(text(gauge.value, of: gauge.quantity)), from \
            \(text(threshold, of: gauge.quantity)) on \(PreservationWording.consequence(level))
            """
    }

    private func heat(_ level: Level) -> String {
        guard level > .normal else {
            guard
                let hottest = status.sensors.filter({ $0.fault == nil && $0.celsius != nil })
                    .max(by: { ($0.celsius ?? 0) < ($1.celsius ?? 0) })
            else { return "no temperature sensor says anything" }
            return "the hottest sensor, \(hottest.name), is at \(degrees(hottest.celsius))"
        }
        let holding = status.sensors.filter { $0.level == level }
        // The one that is farthest above its threshold.
        guard let worst = holding.max(by: { excess($0) < excess($1) }), let threshold = worst.threshold else {
            return "no temperature sensor says anything plausible; without one the level is \(level.name)"
        }
        let consequence = "from \(degrees(threshold)) on \(PreservationWording.consequence(level))"
        if let celsius = worst.celsius, celsius < threshold {
            if let forecast = worst.forecast, forecast.isTrusted, forecast.celsius >= threshold {
                let horizon = policy.forecast?.horizon.inSeconds ?? 0
                return """
                    \(worst.name) is at \(degrees(celsius)) and expected at \(degrees(forecast.celsius)) in \
                    \(Int(horizon)) s, \(consequence)
                    """
            }
            return "\(worst.name) is at \(degrees(celsius)), not cool enough yet; \(consequence)"
        }
        return "\(worst.name) is at \(degrees(worst.celsius)), \(consequence)"
    }

    private func excess(_ sensor: PreservationStatus.Sensor) -> Double {
        (sensor.celsius ?? -273) - (sensor.threshold ?? 0)
    }

    /// - Parameter reading: the one that was not believed, if there was one.
    static func failure(_ sensor: String, _ fault: SensorFault, reading: Double?, policy: PreservationPolicy) -> String
    {
        switch fault {
        case .implausible:
            let value = reading.map { $0.isFinite ? "\(oneDecimal($0)) °C" : "not a number" } ?? "nonsense"
            return "\(sensor) says \(value): its values are discarded"
        case .frozen:
            let limit = policy.frozenAfter?.inSeconds ?? 0
            return "\(sensor) has said the same for \(Int(limit)) s: its values are discarded"
        case .silent: return "\(sensor) has said nothing for \(oneDecimal(policy.sensorTimeout.inSeconds)) s"
        }
    }

    static func blindness(level: Level, _ policy: PreservationPolicy) -> String {
        """
        no temperature sensor says anything plausible any more: the level \(level.name) holds for \
        \(Int(policy.blindHold.inSeconds)) s, then it is \(policy.blindLevel.name)
        """
    }

    private static func consequence(_ level: Level) -> String {
        switch level {
        case .normal: "nothing is done"
        case .throttle: "workers get less of the processor"
        case .shed: "work is shed"
        case .critical: "all work that is not essential is shed"
        }
    }

    private static func subject(_ quantity: Quantity) -> String {
        switch quantity {
        case .memoryPressure: "memory pressure is at"
        case .processorPressure: "processor pressure is at"
        case .diskPressure: "disk pressure is at"
        case .fileSystem(let path): "the file system of \(path) is full to"
        case .load: "the load of each processor is"
        }
    }

    private func text(_ value: Double?, of quantity: Quantity) -> String {
        guard let value else { return "unknown" }
        let number = PreservationWording.oneDecimal(value)
        return quantity == .load ? number : "\(number) %"
    }

    private func degrees(_ celsius: Double?) -> String {
        celsius.map { "\(PreservationWording.oneDecimal($0)) °C" } ?? "an unknown temperature"
    }

    /// Without Foundation there is no format.
    static func oneDecimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
