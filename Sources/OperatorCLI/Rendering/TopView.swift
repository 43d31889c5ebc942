import ControlProtocol

/// `holdfast top`: one frame.
struct TopView {
    var runtime: RuntimeReport
    /// `nil` while no monitor answers.
    var health: HealthReport?
    var rows: [TopRow]
    var palette: Palette
    var width: Int?

    var lines: [String] {
        var table = Table([
            Table.Column("WORKER"), Table.Column("STATE"), Table.Column("CPU", .right), Table.Column("MEMORY", .right),
            Table.Column("THREADS", .right), Table.Column("UP", .right), Table.Column("RESTARTS", .right),
            Table.Column("PID", .right), Table.Column("NOTES"),
        ])
        for row in rows {
            let worker = row.worker
            table.add([
                Table.Cell(worker.name.escapedForTerminal),
                Table.Cell(StateText.words(worker.state), StateText.style(ofWorker: worker.state)),
                Table.Cell(row.usage.map { Self.percent($0.cpuPercent) } ?? ""),
                Table.Cell(row.usage.map { ByteText.compact($0.residentBytes) } ?? ""),
                Table.Cell(row.usage.map { "\($0.threads)" } ?? ""),
                Table.Cell(worker.uptime.map(DurationText.compact) ?? ""),
                Table.Cell("\(worker.restarts)", worker.restarts == 0 ? .faint : .plain),
                Table.Cell(worker.pid.map(String.init) ?? "", .faint),
                Table.Cell(WorkerNotes.text(worker), .faint),
            ])
        }
        return [RuntimeHeader.line(runtime, palette)] + (health.map { [heat($0)] } ?? []) + [""]
            + table.lines(palette, width: width)
    }

    /// The level, and the temperatures, the hottest first.
    private func heat(_ health: HealthReport) -> String {
        let temperatures = health.sensors.filter { $0.kind == "temperature" && $0.value != nil && $0.fault == nil }
            .sorted { ($0.value ?? 0) > ($1.value ?? 0) }.prefix(4)
            .map { "\($0.name.escapedForTerminal) \(HealthText.value($0.value ?? 0, ofKind: $0.kind))" }
        let level = palette(HealthText.style(ofLevel: health.level), HealthText.words(ofLevel: health.level))
        return "level \(level)" + temperatures.map { "  \($0)" }.joined()
    }

    static func percent(_ value: Double) -> String {
        let tenths = Int(min(max(0, value), 1e9) * 10)
        return "\(tenths / 10).\(tenths % 10)%"
    }
}
