import ControlProtocol

/// `holdfast tree`: supervisors and workers as they hang together.
struct TreeView {
    var report: StatusReport
    var palette: Palette
    var width: Int?

    var lines: [String] {
        var table = Table([Table.Column(), Table.Column(), Table.Column(), Table.Column()])
        for node in ReportTree(report).roots { add(node, to: &table, branch: "", below: "") }
        return [RuntimeHeader.line(report.runtime, palette), ""] + table.lines(palette, width: width)
    }

    /// - Parameters:
    ///   - branch: what leads to this node on its own line.
    ///   - below: what leads past this node on the lines of its children.
    private func add(_ node: ReportTree.Node, to table: inout Table, branch: String, below: String) {
        switch node {
        case .worker(let worker):
            let notes = [worker.isEssential ? "essential" : "", WorkerNotes.text(worker)].filter { !$0.isEmpty }
            table.add(
                [
                    Table.Cell(branch + worker.name.escapedForTerminal),
                    Table.Cell(StateText.words(worker.state), StateText.style(ofWorker: worker.state)),
                    Table.Cell(worker.uptime.map(DurationText.compact) ?? ""),
                    Table.Cell(notes.joined(separator: ", "), .faint),
                ], continuation: below)
        case .supervisor(let supervisor, let children):
            table.add(
                [
                    Table.Cell(branch + supervisor.name.escapedForTerminal, .heading),
                    Table.Cell(supervisor.strategy.escapedForTerminal, .faint),
                    Table.Cell(intensity(supervisor), intensityStyle(supervisor)),
                    Table.Cell(notes(supervisor), StateText.style(ofSupervisor: supervisor.state)),
                ], continuation: below + (children.isEmpty ? "" : "│"))
            for (index, child) in children.enumerated() {
                let isLast = index == children.count - 1
                add(
                    child, to: &table, branch: below + (isLast ? "└─ " : "├─ "),
                    below: below + (isLast ? "   " : "│  "))
            }
        }
    }

    /// "2/5 in 30s": restarts made, restarts allowed, and the period.
    private func intensity(_ supervisor: SupervisorReport) -> String {
        "\(supervisor.restartsInWindow)/\(supervisor.maxRestarts) in \(DurationText.period(supervisor.within))"
    }

    private func intensityStyle(_ supervisor: SupervisorReport) -> Style {
        switch supervisor.restartsInWindow {
        case 0: .faint
        case ..<max(1, supervisor.maxRestarts): .plain
        default: .caution
        }
    }

    private func notes(_ supervisor: SupervisorReport) -> String {
        guard supervisor.state != "up" else { return "" }
        let next = supervisor.nextAttempt.map { ", next try \(DurationText.inThen($0))" }
        return StateText.words(supervisor.state) + (next ?? "")
    }
}
