import ControlProtocol

/// `holdfast status`: the runtime in a line, how the workers fare in a line, and a row for each worker.
struct StatusView {
    var report: StatusReport
    var palette: Palette
    var width: Int?

    var lines: [String] {
        let header = [RuntimeHeader.line(report.runtime, palette), summary]
        let attention = RuntimeHeader.warnings(report.runtime, palette) + parked
        return header + attention + (report.workers.isEmpty ? [] : [""] + table.lines(palette, width: width))
    }

    private var table: Table {
        var table = Table([
            Table.Column("WORKER"), Table.Column("SUPERVISOR"), Table.Column("STATE"),
            Table.Column("UP", .right), Table.Column("PID", .right), Table.Column("RESTARTS", .right),
            Table.Column("NOTES"),
        ])
        for worker in report.workers {
            table.add([
                Table.Cell(worker.name.escapedForTerminal),
                Table.Cell(worker.supervisor.escapedForTerminal, .faint),
                Table.Cell(StateText.words(worker.state), StateText.style(ofWorker: worker.state)),
                Table.Cell(worker.uptime.map(DurationText.compact) ?? ""),
                Table.Cell(worker.pid.map(String.init) ?? ""),
                Table.Cell("\(worker.restarts)", worker.restarts == 0 ? .faint : .plain),
                Table.Cell(WorkerNotes.text(worker), .faint),
            ])
        }
        return table
    }

    /// "12 workers: 10 ready, 1 backing off, 1 failed", what needs attention last.
    private var summary: String {
        guard !report.workers.isEmpty else { return "no workers (see holdfast check)" }
        return StateCounts(report.workers.map(\.state)).sentence { state, count in
            palette(StateText.style(ofWorker: state), "\(count) \(StateText.words(state))")
        }
    }

    private var parked: [String] {
        report.supervisors.filter { $0.state == "parked" }.map { supervisor in
            let next = supervisor.nextAttempt.map { "next try \(DurationText.inThen($0))" }
            let note = next ?? "no further try (holdfast worker start NAME)"
            return palette(.bad, "supervisor \(supervisor.name.escapedForTerminal) is parked") + ", \(note)"
        }
    }
}
