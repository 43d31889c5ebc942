import ControlProtocol

/// `holdfast logs`: a worker's line, after a line about those that were lost before it.
struct LogLines {
    var report: LogLineReport
    var palette: Palette
    /// The line as the worker wrote it, and nothing else.
    var isRaw: Bool

    var lines: [String] {
        if isRaw { return [report.line] }
        let line = palette(.faint, ClockText.time(report.time)) + "  " + report.line.escapedForTerminal
        guard report.lost > 0 else { return [line] }
        let lost = report.lost == 1 ? "1 line was" : "\(report.lost) lines were"
        return [palette(.caution, "          \(lost) lost here"), line]
    }
}
