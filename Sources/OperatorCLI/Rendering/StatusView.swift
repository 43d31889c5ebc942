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
        let order = [
            "ready", "running", "starting", "waiting", "finished", "stopped", "stopping", "paused", "held",
            "backing-off", "failed",
        ]
        let counts = Dictionary(grouping: report.workers, by: \.state).mapValues(\.count)
        let states = order.filter { counts[$0] != nil } + counts.keys.filter { !order.contains($0) }.sorted()
        let parts = states.map { state in
            palette(StateText.style(ofWorker: state), "\(counts[state, default: 0]) \(StateText.words(state))")
        }
        let count = report.workers.count == 1 ? "1 worker" : "\(report.workers.count) workers"
        return "\(count): \(parts.joined(separator: ", "))"
    }

    private var parked: [String] {
        report.supervisors.filter { $0.state == "parked" }.map { supervisor in
            let next = supervisor.nextAttempt.map { "next try \(DurationText.inThen($0))" }
            let note = next ?? "no further try (holdfast worker start NAME)"
            return palette(.bad, "supervisor \(supervisor.name.escapedForTerminal) is parked") + ", \(note)"
        }
    }
}
