import LinuxSystem

/// The runtime's own few lines on standard error. A line that would block (a terminal held with Ctrl-S, a full pipe) is
/// dropped and counted: nothing may stop the loop.
final class DiagnosticLog {
    enum Severity: Int32 {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
    }

    private static let standardError: Int32 = 2
    /// A pipe that is writable takes this much without blocking (pipe(7), PIPE_BUF).
    private static let longestLine = 4000

    /// Whether lines begin with `<N>`, as journald understands it (sd-daemon(3)).
    private let prefixesSeverity = ServiceEnvironment.isJournalStream(standardError)
    private(set) var dropped = 0

    func write(_ severity: Severity, _ message: String) {
        let prefix = prefixesSeverity ? "<\(severity.rawValue)>" : "holdfastd: "
        var line = Array((prefix + message).utf8.prefix(Self.longestLine))
        line.append(UInt8(ascii: "\n"))
        guard (try? SystemCall.wait(for: Self.standardError, .writable, timeout: .zero)) == true,
            case .done = try? SystemCall.write(Self.standardError, line)
        else { return dropped += 1 }
    }
}
