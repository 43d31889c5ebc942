/// Sizes as the configuration writes them: a whole number of bytes, or of units of 1024: "512", "256K", "64M", "1G".
enum SizeText {
    private static let units: [(name: String, shift: Int64)] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)]

    static func parse(_ text: String) throws(TextMistake) -> Int64 {
        guard !text.isEmpty else { throw TextMistake(reason: "is empty") }
        if text.hasPrefix("-") { throw TextMistake(reason: "is negative") }
        let digits = text.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty else { throw TextMistake(reason: "is not a size") }
        guard let amount = Int64(Substring(digits)) else { throw TextMistake(reason: "is too large") }
        let suffix = String(text[digits.endIndex...])
        if suffix.isEmpty { return amount }
        guard let unit = units.first(where: { $0.name == suffix }) else {
            throw TextMistake(reason: "has the unknown unit \(suffix.quoted)")
        }
        let (bytes, overflow) = amount.multipliedReportingOverflow(by: 1 << unit.shift)
        guard !overflow else { throw TextMistake(reason: "is too large") }
        return bytes
    }

    /// The shortest text that parses to the size.
    static func render(_ bytes: Int64) -> String {
        for unit in units where bytes > 0 && bytes % (1 << unit.shift) == 0 {
            return "\(bytes >> unit.shift)\(unit.name)"
        }
        return "\(bytes)"
    }
}
