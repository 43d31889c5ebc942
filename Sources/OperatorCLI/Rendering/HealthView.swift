import ControlProtocol

/// `holdfast health`: the level in a line, what each cause has led to, then what is measured.
struct HealthView {
    var report: HealthReport
    var palette: Palette
    var width: Int?

    var lines: [String] {
        let head = [summary] + causes + warnings
        let tables = [sensors, quantities, probes].map { $0.lines(palette, width: width) }.filter { !$0.isEmpty }
        return head + tables.flatMap { [""] + $0 }
    }

    // MARK: Level

    private var summary: String {
        let level = palette(HealthText.style(ofLevel: report.level), HealthText.words(ofLevel: report.level))
        let means = report.throttledBy.map { " (\($0.escapedForTerminal))" } ?? ""
        let throttled = report.isThrottled ? "; workers get less of the processor\(means)" : ""
        return "level \(level)\(throttled)"
    }

    /// A line or two for each cause that is not at rest.
    private var causes: [String] {
        report.causes.filter { $0.level != "normal" || !$0.shed.isEmpty }.flatMap { cause in
            let name = palette(HealthText.style(ofLevel: cause.level), cause.cause.escapedForTerminal)
            let why = cause.why?.escapedForTerminal ?? HealthText.words(ofLevel: cause.level)
            let next = [
                cause.nextShed.map { "the next is paused \(DurationText.inThen($0)) unless it gets better" },
                cause.relief.map { "over \(DurationText.inThen($0)) if it stays so" },
            ].compactMap { $0 }
            let outlook = next.isEmpty ? "" : palette(.faint, "; \(next.joined(separator: ", "))")
            return ["\(name): \(why)\(outlook)"] + shed(cause)
        }
    }

    private func shed(_ cause: CauseReport) -> [String] {
        guard let last = cause.shed.last else { return [] }
        let names = cause.shed.map(\.escapedForTerminal).joined(separator: ", ")
        let next = cause.nextRestore.map {
            palette(.faint, "; \(last.escapedForTerminal) comes back \(DurationText.inThen($0))")
        }
        return ["  paused: \(names)\(next ?? "")"]
    }

    private var warnings: [String] {
        let lost = "no temperature sensor says anything plausible any more"
        return (report.isBlind ? [palette(.bad, lost)] : [])
            + report.warnings.map { palette(.caution, "warning:") + " \($0.escapedForTerminal)" }
    }

    // MARK: Tables

    private var sensors: Table {
        let horizon = report.sensors.compactMap(\.forecast?.horizon).first
        let ahead = horizon.map { "IN \(DurationText.period($0).uppercased())" } ?? "AHEAD"
        var table = Table([
            Table.Column("SENSOR"), Table.Column("NOW", .right), Table.Column("LIMIT", .right),
            Table.Column(ahead, .right), Table.Column("LEVEL"), Table.Column("NOTES"),
        ])
        for sensor in report.sensors {
            let isTemperature = sensor.kind == "temperature"
            table.add([
                Table.Cell(sensor.name.escapedForTerminal),
                Table.Cell(
                    sensor.value.map { HealthText.value($0, ofKind: sensor.kind) } ?? "-",
                    sensor.fault == nil ? .plain : .faint),
                Table.Cell(sensor.limit.map { HealthText.value($0, ofKind: sensor.kind) } ?? "", .faint),
                Table.Cell(
                    sensor.forecast.map { HealthText.value($0.value, ofKind: sensor.kind) } ?? "",
                    sensor.forecast?.isTrusted == true ? .plain : .faint),
                Table.Cell(
                    isTemperature ? HealthText.words(ofLevel: sensor.level) : "",
                    HealthText.style(ofLevel: sensor.level)),
                note(on: sensor),
            ])
        }
        return table
    }

    private func note(on sensor: SensorReport) -> Table.Cell {
        if let fault = sensor.fault { return Table.Cell(HealthText.words(ofFault: fault), .bad) }
        guard let forecast = sensor.forecast else { return Table.Cell("") }
        guard let error = forecast.meanError else { return Table.Cell("forecast not tested yet", .faint) }
        let off = "forecast off by \(HealthText.tenths(error)) °C"
        return Table.Cell(forecast.isTrusted ? off : "\(off), so it is ignored", .faint)
    }

    private var quantities: Table {
        var table = Table([Table.Column("PRESSURE"), Table.Column("NOW", .right), Table.Column("LEVEL")])
        for quantity in report.quantities {
            table.add([
                Table.Cell(quantity.name.escapedForTerminal),
                Table.Cell(quantity.value.map { HealthText.value($0, ofQuantity: quantity.name) } ?? "-"),
                Table.Cell(
                    HealthText.words(ofLevel: quantity.level), HealthText.style(ofLevel: quantity.level)),
            ])
        }
        return table
    }

    private var probes: Table {
        var table = Table([
            Table.Column("WORKER"), Table.Column("PROBE"), Table.Column("KIND"), Table.Column("STATE"),
            Table.Column("NOTES"),
        ])
        for worker in report.workers {
            for probe in worker.probes {
                let failures = probe.failures == 1 ? "1 failure" : "\(probe.failures) failures in a row"
                let note = probe.lastFailure.map { "\(failures): \($0.escapedForTerminal)" }
                table.add([
                    Table.Cell(worker.name.escapedForTerminal), Table.Cell(probe.name.escapedForTerminal),
                    Table.Cell(probe.kind.escapedForTerminal, .faint),
                    Table.Cell(probe.state.escapedForTerminal, HealthText.style(ofProbe: probe.state)),
                    Table.Cell(probe.state == "passing" ? "" : note ?? "", .faint),
                ])
            }
        }
        return table
    }
}
