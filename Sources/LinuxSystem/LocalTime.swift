import Glibc

/// A moment as a clock on the wall shows it, in the machine's time zone.
package struct LocalTime: Equatable, Sendable {
    package var year: Int
    /// 1 to 12.
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var millisecond: Int

    /// - Parameter unixTime: seconds since 1970. `nil` when it is beyond what a calendar shows.
    package init?(unixTime: Double) {
        // Year 9999, and as far back: what a broken clock or peer may claim.
        guard abs(unixTime) < 253_402_300_800 else { return nil }
        let milliseconds = Int((unixTime * 1000).rounded(.down))
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        var time = time_t(rest < 0 ? seconds - 1 : seconds)
        var fields = tm()
        guard localtime_r(&time, &fields) != nil else { return nil }
        year = Int(fields.tm_year) + 1900
        month = Int(fields.tm_mon) + 1
        day = Int(fields.tm_mday)
        hour = Int(fields.tm_hour)
        minute = Int(fields.tm_min)
        second = Int(fields.tm_sec)
        millisecond = rest < 0 ? rest + 1000 : rest
    }
}
