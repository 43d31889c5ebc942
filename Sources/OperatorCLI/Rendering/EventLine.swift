import ControlProtocol

/// `holdfast events`: a line for each. Columns have fixed widths, for the next event is not yet known.
struct EventLine {
    var event: EventReport
    var palette: Palette

    private static let kindWidth = "intensity-exceeded".count
    private static let subjectWidth = 16

    var text: String {
        let subject = event.worker ?? event.supervisor.map { "[\($0)]" } ?? ""
        let columns = [
            palette(.faint, ClockText.time(event.time)),
            palette(.faint, padded("#\(event.sequence)", 6)),
            palette(StateText.style(ofEvent: event.kind), padded(event.kind.escapedForTerminal, Self.kindWidth)),
            padded(subject.escapedForTerminal, Self.subjectWidth),
            event.message.escapedForTerminal,
        ]
        return columns.joined(separator: "  ")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
