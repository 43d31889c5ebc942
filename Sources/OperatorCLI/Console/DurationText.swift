/// Durations and moments in the words of an operator. A peer may claim any number, so none of these can trap.
enum DurationText {
    /// For columns, rounded down: "4s", "3m12s", "3h05m", "2d04h".
    static func compact(_ seconds: Double) -> String {
        compact(whole: bounded(seconds, .down), unit: "s")
    }

    /// Of what is to come, rounded up: "now", "4 s", "3m12s".
    static func untilThen(_ seconds: Double) -> String {
        let whole = bounded(seconds, .up)
        return whole == 0 ? "now" : compact(whole: whole, unit: " s")
    }

    /// The same after "in": "now", "in 4 s".
    static func inThen(_ seconds: Double) -> String {
        let text = untilThen(seconds)
        return text == "now" ? text : "in \(text)"
    }

    /// Of what was measured: "0.4 ms", "212 ms", "4.2 s", "3m12s".
    static func measured(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.01: tenths(seconds * 1000) + " ms"
        case ..<0.9995: "\(bounded(seconds * 1000, .toNearestOrAwayFromZero)) ms"
        case ..<59.95: tenths(seconds) + " s"
        default: compact(whole: bounded(seconds, .toNearestOrAwayFromZero), unit: " s")
        }
    }

    /// A period from the configuration: "30s", "1m", "1m30s", "0.5s".
    static func period(_ seconds: Double) -> String {
        let whole = bounded(seconds, .toNearestOrAwayFromZero)
        if abs(Double(whole) - seconds) > 0.001, seconds < 60 { return tenths(seconds) + "s" }
        switch whole {
        case ..<60: return "\(whole)s"
        case _ where whole % 86_400 == 0: return "\(whole / 86_400)d"
        case _ where whole % 3_600 == 0: return "\(whole / 3_600)h"
        case _ where whole % 60 == 0: return "\(whole / 60)m"
        default: return compact(whole: whole, unit: "s")
        }
    }

    private static func compact(whole: Int, unit: String) -> String {
        switch whole {
        case ..<60: "\(whole)\(unit)"
        case ..<3_600: "\(whole / 60)m\(twoDigits(whole % 60))s"
        case ..<86_400: "\(whole / 3_600)h\(twoDigits(whole / 60 % 60))m"
        default: "\(whole / 86_400)d\(twoDigits(whole / 3_600 % 24))h"
        }
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = bounded(value * 10, .toNearestOrAwayFromZero)
        return "\(tenths / 10).\(tenths % 10)"
    }

    static func twoDigits(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }

    private static func bounded(_ value: Double, _ rule: FloatingPointRoundingRule) -> Int {
        value.isNaN ? 0 : Int(min(max(value, 0), 1e15).rounded(rule))
    }
}
