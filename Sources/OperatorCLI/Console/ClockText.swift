import LinuxSystem

/// Moments on the wall clock, in the machine's time zone.
enum ClockText {
    /// "12:03:44", for the lines of a stream.
    static func time(_ unixTime: Double) -> String {
        guard let time = LocalTime(unixTime: unixTime) else { return "--:--:--" }
        return [time.hour, time.minute, time.second].map(DurationText.twoDigits).joined(separator: ":")
    }

    /// "2025-06-01 12:03:44".
    static func dateAndTime(_ unixTime: Double) -> String {
        guard let time = LocalTime(unixTime: unixTime) else { return "at an unknown time" }
        let date = "\(time.year)-\(DurationText.twoDigits(time.month))-\(DurationText.twoDigits(time.day))"
        return "\(date) \(Self.time(unixTime))"
    }
}
