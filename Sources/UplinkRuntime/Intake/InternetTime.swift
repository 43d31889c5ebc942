/// Times as RFC 3339 writes them, such as `2026-01-31T12:00:00.250+01:00`.
enum InternetTime {
    /// The year 10000, in milliseconds since 1970.
    static let end: Int64 = 253_402_300_800_000

    /// - Returns: milliseconds since 1970; `nil` when it is no such time.
    static func milliseconds(_ text: String) -> Int64? {
        var rest = text.utf8[...]
        guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), (1...12).contains(month),
            skip(&rest, "-"), let day = number(&rest, 2), (1...daysIn(month, year)).contains(day),
            skip(&rest, "T") || skip(&rest, "t") || skip(&rest, " "),
            let hour = number(&rest, 2), hour < 24, skip(&rest, ":"), let minute = number(&rest, 2), minute < 60,
            skip(&rest, ":"), let second = number(&rest, 2), second <= 60
        else { return nil }
        guard let fraction = milliseconds(ofFraction: &rest), let offset = offset(&rest), rest.isEmpty else {
            return nil
        }
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset
        return seconds * 1000 + fraction
    }

    private static func skip(_ rest: inout Substring.UTF8View, _ character: Character) -> Bool {
        guard let first = rest.first, first == character.asciiValue else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func number(_ rest: inout Substring.UTF8View, _ digits: Int) -> Int64? {
        let part = rest.prefix(digits)
        guard part.count == digits, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return part.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    private static func milliseconds(ofFraction rest: inout Substring.UTF8View) -> Int64? {
        guard skip(&rest, ".") else { return 0 }
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest[digits.endIndex...]
        let first = digits.prefix(3)
        let value = first.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        return [100, 10, 1][first.count - 1] * value
    }

    /// In seconds.
    private static func offset(_ rest: inout Substring.UTF8View) -> Int64? {
        if skip(&rest, "Z") || skip(&rest, "z") { return 0 }
        let sign: Int64 = skip(&rest, "+") ? 1 : skip(&rest, "-") ? -1 : 0
        guard sign != 0, let hours = number(&rest, 2), hours < 24, skip(&rest, ":"), let minutes = number(&rest, 2),
            minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes) * 60
    }

    private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970. The year begins in March, so that the leap day is the last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
