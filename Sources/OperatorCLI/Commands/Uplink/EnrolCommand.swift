import ArgumentParser
import ControlProtocol
import FleetAPI
import LinuxSystem
import MonotonicTime

struct EnrolCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Make this device known to central, with a token from there.",
        discussion: """
            An operator of central makes the token (holdfast-central token create). The device makes a key of its own, which \
            never leaves it, and shows the token once. Doing it again with the same token changes nothing. The device goes on \
            trying by itself when central does not answer (exit status 3).

            EXAMPLES
              sudo holdfast enrol hf1.eyJ1cmwiOi...
              sudo holdfast enrol - < token
            """,
        aliases: ["enroll"])

    @Argument(help: "The token; - reads it from standard input, where no list of processes shows it.")
    var token: String

    @Option(
        name: .long,
        help: ArgumentHelp("How long to wait for what central says to it.", valueName: "seconds"))
    var wait: Double = 60

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (0...86_400).contains(wait) else {
            throw ValidationError("The time to wait must be between 0 and 86400 seconds.")
        }
    }

    func perform(on console: Console) throws {
        let text = try tokenText(console)
        let token: EnrolmentToken
        do throws(FleetError) { token = try EnrolmentToken(text) } catch {
            throw CommandError(code: .usage, message: error.message)
        }
        let asked = MonotonicClock.now()
        _ = try connection.connect(console).call(.enrol(token: text))
        let status = try outcome(since: asked, console)
        switch status.state {
        case .connected, .pending: break
        case .refused:
            throw CommandError(code: .enrolmentRefused, message: "not enrolled: \(Self.reason(status))")
        case .notEnrolled, .enrolling, .offline:
            // Known there already, and only the way to it is broken.
            if status.device != nil, status.state == .offline { break }
            throw CommandError(
                code: .enrolmentPending,
                message: "\(token.url.escapedForTerminal) has not answered within \(DurationText.period(wait)) "
                    + "(\(Self.reason(status))); the token is kept, and tried again by itself (holdfast uplink)")
        }
        if output.json { return try console.print(status.json) }
        try console.print(UplinkView(status: status, palette: console.palette).lines.prefix { !$0.isEmpty }.map(\.self))
    }

    private static func reason(_ status: UplinkStatus) -> String {
        status.reason?.escapedForTerminal ?? UplinkView.words(of: status.state)
    }

    private func tokenText(_ console: Console) throws -> String {
        guard token == "-" else { return token }
        let bytes = try console.readInput(16 * 1024)
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: "\n")
    }

    /// How the link stands once central has said something, or the time is up.
    private func outcome(since asked: MonotonicInstant, _ console: Console) throws -> UplinkStatus {
        let deadline = asked.advanced(by: .seconds(wait))
        var status = try connection.connect(console).call(.uplink, as: UplinkStatus.self)
        var seen: Int?
        while Self.isUnderWay(status), MonotonicClock.now() < deadline {
            seen = try awaitNews(since: asked, after: seen, until: deadline, console)
            status = try connection.connect(console).call(.uplink, as: UplinkStatus.self)
        }
        return status
    }

    /// Whether central has still to say something. Without a reason the link is on its way up.
    private static func isUnderWay(_ status: UplinkStatus) -> Bool {
        switch status.state {
        case .enrolling, .notEnrolled: true
        case .offline: status.reason == nil
        case .pending, .connected, .refused: false
        }
    }

    private struct News: Error {
        var sequence: Int?
    }

    /// Returns with the first event about the link, or at the deadline.
    /// - Parameter seen: the number of the last such event.
    private func awaitNews(
        since asked: MonotonicInstant, after seen: Int?, until deadline: MonotonicInstant, _ console: Console
    ) throws -> Int? {
        let left = MonotonicClock.now().duration(to: deadline)
        let client = try ControlClient(path: connection.path(console), timeout: max(left, .milliseconds(1)))
        let begin = Double(asked.nanoseconds) / 1e9
        do {
            try client.stream(
                .events(since: seen, follow: true), as: EventsReply.self, waitsForEver: false
            ) { reply in
                if let event = reply.event, event.kind.hasPrefix("uplink-"), event.monotonic >= begin {
                    throw News(sequence: event.sequence)
                }
                if MonotonicClock.now() >= deadline { throw News(sequence: seen) }
            }
        } catch let news as News {
            return news.sequence
        } catch ClientError.timedOut {}
        return seen
    }
}
