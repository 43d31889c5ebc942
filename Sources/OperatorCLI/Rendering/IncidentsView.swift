import ControlProtocol

/// `holdfast incidents`: each failure, and what came of it, as a paragraph.
struct IncidentsView {
    var incidents: [IncidentReport]
    /// Seconds since 1970.
    var now: Double
    var palette: Palette
    /// Print the workers' output as it is.
    var isRaw: Bool

    var lines: [String] {
        guard !incidents.isEmpty else { return ["no incidents"] }
        return Array(incidents.map(paragraph).joined(separator: [""]))
    }

    private func paragraph(_ incident: IncidentReport) -> [String] {
        let age = now - incident.time
        // A wall clock that was set back is no reason to speak of the future.
        let ago = age >= 0 ? " (\(DurationText.compact(age)) ago)" : ""
        let title = palette(.heading, "#\(incident.id) \(incident.worker.escapedForTerminal)")
        let time = palette(.faint, ClockText.dateAndTime(incident.time) + ago)
        let pid = incident.pid.map { palette(.faint, " as pid \($0)") } ?? ""
        var lines = [
            "\(title)  \(time)",
            field("cause", palette(.bad, incident.exit.message.escapedForTerminal)),
        ]
        // A program that was never executed has not run.
        if incident.exit.cause != "spawn-failed" {
            lines.append(field("ran for", DurationText.measured(incident.ranFor) + pid))
        }
        lines.append(field("action", incident.actionMessage.escapedForTerminal))
        lines.append(field("recovered", recovery(incident)))
        if !incident.lastOutput.isEmpty {
            lines.append(field("last lines", ""))
            lines += incident.lastOutput.map { "    " + palette(.faint, "│ ") + (isRaw ? $0 : $0.escapedForTerminal) }
        }
        return lines
    }

    private func recovery(_ incident: IncidentReport) -> String {
        guard let after = incident.recoveredAfter else { return palette(.caution, "not yet") }
        return palette(.good, "in \(DurationText.measured(after))")
    }

    private func field(_ name: String, _ value: String) -> String {
        guard !value.isEmpty else { return "  " + palette(.faint, name) }
        let padding = String(repeating: " ", count: max(1, 12 - name.count))
        return "  " + palette(.faint, name) + padding + value
    }
}
