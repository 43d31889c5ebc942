/// Levels, sensors and probes in the words of an operator. What a newer runtime may add is shown plainly.
enum HealthText {
    static func words(ofLevel level: String) -> String { level.escapedForTerminal }

    static func style(ofLevel level: String) -> Style {
        switch level {
        case "normal": .good
        case "throttle", "shed": .caution
        case "critical": .bad
        default: .plain
        }
    }

    static func words(ofFault fault: String) -> String {
        switch fault {
        case "implausible": "says what cannot be"
        case "frozen": "has said the same for too long"
        case "silent": "says nothing"
        default: fault.escapedForTerminal
        }
    }

    static func style(ofProbe state: String) -> Style {
        switch state {
        case "passing": .good
        case "failing": .bad
        case "waiting", "suspended": .faint
        default: .plain
        }
    }

    /// With its unit: "51.5 °C", "1200 rpm", "3.31 V", "4.2 W".
    static func value(_ value: Double, ofKind kind: String) -> String {
        switch kind {
        case "temperature": "\(tenths(value)) °C"
        case "fan": "\(whole(value)) rpm"
        case "voltage": "\(hundredths(value)) V"
        case "power": "\(tenths(value)) W"
        default: tenths(value)
        }
    }

    /// "0.25" for a load, which counts processors; all others are shares: "71.0 %".
    static func value(_ value: Double, ofQuantity name: String) -> String {
        name == "load" ? hundredths(value) : "\(tenths(value)) %"
    }

    static func tenths(_ value: Double) -> String {
        let scaled = whole(value * 10)
        return "\(scaled < 0 ? "-" : "")\(abs(scaled) / 10).\(abs(scaled) % 10)"
    }

    private static func hundredths(_ value: Double) -> String {
        let scaled = whole(value * 100)
        let rest = abs(scaled) % 100
        return "\(scaled < 0 ? "-" : "")\(abs(scaled) / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// A peer may claim any number.
    private static func whole(_ value: Double) -> Int {
        value.isNaN ? 0 : Int(min(max(value, -1e15), 1e15).rounded())
    }
}
