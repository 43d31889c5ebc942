import MonotonicTime

/// Durations as the configuration writes them: whole numbers with units, the larger unit first, each unit once:
/// "250ms", "5s", "2m", "1h30m", "1d".
package enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ]

    /// The longest duration there is: a year, so that sums of durations stay far from overflow.
    static let longest = Duration.seconds(366 * 86_400)

    /// - Returns: `nil` for text that is no duration.
    package static func duration(_ text: String) -> Duration? { try? parse(text) }

    static func parse(_ text: String) throws(TextMistake) -> Duration {
        var rest = Substring(text).utf8
        guard !rest.isEmpty else { throw TextMistake(reason: "is empty") }
        if rest.first == UInt8(ascii: "-") { throw TextMistake(reason: "is negative") }
        var total: Int64 = 0
        var nextUnit = 0
        while !rest.isEmpty {
            let amount = try number(&rest, of: text)
            let letters = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
            rest = rest[letters.endIndex...]
            let name = String(Substring(letters))
            guard !name.isEmpty else { throw TextMistake(reason: "has a number without a unit") }
            guard let unit = units.firstIndex(where: { $0.name == name }) else {
                throw TextMistake(reason: "has the unknown unit \(name.quoted)")
            }
            guard unit >= nextUnit else {
                throw TextMistake(reason: "has its units out of order, or one of them twice")
            }
            nextUnit = unit + 1
            let (product, tooLarge) = amount.multipliedReportingOverflow(by: units[unit].nanoseconds)
            let (sum, tooLong) = total.addingReportingOverflow(product)
            guard !tooLarge, !tooLong, sum <= longest.wholeNanoseconds else {
                throw TextMistake(reason: "is too long")
            }
            total = sum
        }
        return .nanoseconds(total)
    }

    /// The shortest text that parses to the duration; what is below a millisecond is dropped.
    package static func render(_ duration: Duration) -> String {
        var rest = duration.wholeNanoseconds
        var text = ""
        for unit in units {
            let amount = rest / unit.nanoseconds
            if amount > 0 { text += "\(amount)\(unit.name)" }
            rest -= amount * unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }

    private static func number(_ rest: inout Substring.UTF8View, of text: String) throws(TextMistake) -> Int64 {
        let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty else { throw TextMistake(reason: "is not a duration") }
        guard let amount = Int64(Substring(digits)) else { throw TextMistake(reason: "is too long") }
        rest = rest[digits.endIndex...]
        return amount
    }
}
