/// One assignment of a notify message, as sd_notify(3) defines them. Those that do not concern supervision, and those
/// that cannot be read, are left out by `parse`.
package enum NotifyField: Hashable, Sendable {
    /// `READY=1`
    case ready
    /// `STATUS=`: for people. At most `maximumStatusBytes`, without control characters.
    case status(String)
    /// `WATCHDOG=1`
    case watchdogPing
    /// `WATCHDOG=trigger`: act as if the watchdog had expired.
    case watchdogTrigger
    /// `WATCHDOG_USEC=`: the new period.
    case watchdogPeriod(Duration)
    /// `STOPPING=1`
    case stopping
    /// `RELOADING=1`
    case reloading
    /// `EXTEND_TIMEOUT_USEC=`: from the receipt on.
    case extendTimeout(Duration)
    /// `MAINPID=`: always above 1.
    case mainPID(Int32)
    /// `HOLDFAST_CHECKPOINT=`: of Holdfast alone. At most `maximumCheckpointBytes`.
    case checkpoint(String)
    /// `BARRIER=1`: the sender waits until the passed descriptor is closed.
    case barrier

    /// What is kept of a status text.
    package static let maximumStatusBytes = 512
    /// The longest name of a checkpoint.
    package static let maximumCheckpointBytes = 64
    /// Assignments read from one message; a longer one is not from any known program.
    package static let maximumCount = 64

    /// Reads a message: lines of `KEY=VALUE`. Total: no bytes are an error. A message with a NUL inside is no text and
    /// gives nothing, as in systemd; one at the end is forgiven.
    package static func parse(_ message: some BidirectionalCollection<UInt8>) -> [NotifyField] {
        var text = message[...]
        if text.last == 0 { text = text.dropLast() }
        if text.contains(0) { return [] }
        return text.split(separator: UInt8(ascii: "\n"), maxSplits: maximumCount).prefix(maximumCount).compactMap {
            line in
            guard let sign = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return NotifyField(key: line[..<sign], value: line[line.index(after: sign)...])
        }
    }

    private init?(key: some Collection<UInt8>, value: some Collection<UInt8>) {
        let isOne = value.elementsEqual("1".utf8)
        switch String(decoding: key, as: UTF8.self) {
        case "READY" where isOne: self = .ready
        case "STATUS": self = .status(NotifyField.printable(value))
        case "WATCHDOG" where isOne: self = .watchdogPing
        case "WATCHDOG" where value.elementsEqual("trigger".utf8): self = .watchdogTrigger
        case "WATCHDOG_USEC":
            guard let period = NotifyField.microseconds(value) else { return nil }
            self = .watchdogPeriod(period)
        case "STOPPING" where isOne: self = .stopping
        case "RELOADING" where isOne: self = .reloading
        case "EXTEND_TIMEOUT_USEC":
            guard let extent = NotifyField.microseconds(value) else { return nil }
            self = .extendTimeout(extent)
        case "MAINPID":
            guard let number = NotifyField.number(value), let pid = Int32(exactly: number), pid > 1 else { return nil }
            self = .mainPID(pid)
        case "HOLDFAST_CHECKPOINT" where !value.isEmpty && value.count <= NotifyField.maximumCheckpointBytes:
            self = .checkpoint(String(decoding: value, as: UTF8.self))
        case "BARRIER" where isOne: self = .barrier
        default: return nil
        }
    }

    /// Decimal digits only, no sign, no space; `nil` beyond 64 bits.
    private static func number(_ text: some Collection<UInt8>) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (scaled, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            if overflow || carried { return nil }
            number = sum
        }
        return number
    }

    /// Saturates at 292 years, the range of `MonotonicInstant`: "infinity" is the largest number in systemd's terms.
    private static func microseconds(_ text: some Collection<UInt8>) -> Duration? {
        guard let number = number(text) else { return nil }
        return .microseconds(Int64(min(number, UInt64(Int64.max / 1000))))
    }

    /// Shown on terminals, and its writer is not trusted: no escape sequences, and a bounded length.
    private static func printable(_ text: some Collection<UInt8>) -> String {
        var result = String.UnicodeScalarView()
        var bytes = 0
        for scalar in String(decoding: text.prefix(maximumStatusBytes), as: UTF8.self).unicodeScalars {
            let shown: Unicode.Scalar = scalar.properties.generalCategory == .control ? " " : scalar
            // Replaced bytes take three each.
            bytes += UTF8.width(shown)
            if bytes > maximumStatusBytes { break }
            result.append(shown)
        }
        return String(result)
    }
}
