import ControlProtocol

/// `holdfast reload`: what changed, and what did not.
struct ReloadView {
    var report: ReloadReport
    var palette: Palette

    var lines: [String] {
        let changes = [
            ("added", report.added), ("removed", report.removed), ("restarted", report.restarted),
            ("adjusted without a restart", report.adjusted),
        ].filter { !$0.1.isEmpty }
        let warnings = report.warnings.map { palette(.caution, "warning") + ": " + $0.escapedForTerminal }
        let unchanged = "\(report.unchanged.count) unchanged"
        guard !changes.isEmpty else { return ["nothing changed (\(unchanged))"] + warnings }
        return changes.map { name, workers in
            palette(.heading, name) + ": " + workers.map(\.escapedForTerminal).joined(separator: ", ")
        } + [palette(.faint, unchanged)] + warnings
    }
}
