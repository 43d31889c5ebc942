import MonotonicTime
import SelfPreservation

extension PreservationSettings {
    private typealias Schema = PreservationSchema

    /// The settings, with defaults in place of what is wrong, which has been reported.
    init(_ table: TableReader, _ context: ReadingContext) {
        let isEnabled = table.value(Schema.enabled)
        let interval = table.value(Schema.interval)
        let policy = PreservationPolicy(table, interval: interval, context)
        self.init(
            isEnabled: isEnabled, policy: isEnabled ? policy : policy.askingForNothing, interval: interval,
            sensors: PreservationSettings.sensors(table, context),
            criticalCommand: table.optional(Schema.criticalCommand) ?? [], commandIdentity: nil,
            metricsPort: table.value(Schema.metricsPort))
    }

    private static func sensors(_ table: TableReader, _ context: ReadingContext) -> [Sensor] {
        var earlier: [String: SourcePlace] = [:]
        return table.counted(Schema.sensorTable, context.problems).enumerated().compactMap { index, piece -> Sensor? in
            let path = piece.path(named: Schema.sensorTable, number: index + 1)
            let sensor = TableReader(SourcedTable(path: path, piece), Schema.sensorTable, context)
            let match = sensor.required(SensorSchema.match)
            let offset = sensor.value(SensorSchema.offset)
            let isIgnored = sensor.value(SensorSchema.ignore)
            if isIgnored, sensor.has(SensorSchema.offset.setting.name) {
                let key = SensorSchema.offset.setting.name
                context.problems.add(
                    sensor.place(of: key), "\(path).\(key)", "has no meaning for what is ignored; remove one of them")
            }
            guard let match else { return nil }
            reportRepeated(match, SensorSchema.match.name, sensor, &earlier, context.problems)
            return Sensor(match: match, offset: offset, isIgnored: isIgnored)
        }
    }

    fileprivate static func reportRepeated(
        _ value: String, _ key: String, _ table: TableReader, _ earlier: inout [String: SourcePlace],
        _ problems: ProblemCollector
    ) {
        let place = table.place(of: key)
        if let first = earlier[value] {
            problems.add(
                place, table.table.path(of: key), "\(value.quoted) stands already at \(first); remove one of them")
        } else {
            earlier[value] = place
        }
    }
}

extension PreservationPolicy {
    private typealias Schema = PreservationSchema

    fileprivate init(_ table: TableReader, interval: Duration, _ context: ReadingContext) {
        let problems = context.problems
        let hysteresis = table.value(Schema.hysteresis)
        let dwell = table.value(Schema.dwell)
        let temperature = ThresholdDraft(Schema.temperature, table, problems)
        temperature.checkResume(isForPausedOnly: true)
        let margin = ThresholdDraft(Schema.margin, table, problems)
        margin.checkResume(isForPausedOnly: true)
        let horizon = table.value(Schema.forecast)
        let tolerance = table.value(Schema.forecastTolerance)
        self.init(
            temperature: temperature.ladder(hysteresis: hysteresis, dwell: dwell),
            belowLimit: margin.isEmpty ? nil : margin.ladder(hysteresis: hysteresis, dwell: dwell),
            shedInterval: table.value(Schema.shedInterval), restoreInterval: table.value(Schema.restoreInterval),
            forecast: horizon.map { ForecastPolicy(horizon: $0, tolerance: tolerance) },
            sensorTimeout: table.value(Schema.sensorTimeout), frozenAfter: table.value(Schema.frozenAfter),
            blindHold: table.value(Schema.sensorsLostHold), blindLevel: table.value(Schema.sensorsLostLevel))
        quantities = Self.quantities(table, dwell: dwell, context)
        checkTimes(table, interval, problems)
    }

    /// What it says to no matter what.
    fileprivate var askingForNothing: PreservationPolicy {
        var policy = self
        policy.temperature.thresholds = [:]
        policy.belowLimit = nil
        policy.quantities = [:]
        policy.forecast = nil
        policy.blindLevel = .normal
        return policy
    }

    private static func quantities(
        _ table: TableReader, dwell: Duration, _ context: ReadingContext
    ) -> [Quantity: LadderPolicy] {
        var ladders: [Quantity: LadderPolicy] = [:]
        let single: [(Quantity, QuantitySchema)] = [
            (.memoryPressure, Schema.memory), (.processorPressure, Schema.processor), (.diskPressure, Schema.disk),
            (.load, Schema.load),
        ]
        for (quantity, schema) in single {
            let thresholds = ThresholdDraft(schema.thresholds, table.subtable(schema.table), context.problems)
            thresholds.checkResume(isForPausedOnly: false)
            if !thresholds.isEmpty { ladders[quantity] = thresholds.ladder(dwell: dwell) }
        }
        var earlier: [String: SourcePlace] = [:]
        for (index, piece) in table.counted(Schema.diskTable, context.problems).enumerated() {
            let path = piece.path(named: Schema.diskTable, number: index + 1)
            let disk = TableReader(SourcedTable(path: path, piece), Schema.diskTable, context)
            let watched = disk.required(DiskSchema.path)
            let thresholds = ThresholdDraft(DiskSchema.thresholds, disk, context.problems)
            if thresholds.isEmpty {
                context.problems.add(
                    piece.place, path, "asks for nothing", allowed: "throttle_at, pause_at or critical_at")
            }
            guard let watched else { continue }
            PreservationSettings.reportRepeated(
                watched, DiskSchema.path.name, disk, &earlier, context.problems)
            ladders[.fileSystem(watched)] = thresholds.ladder(dwell: dwell)
        }
        return ladders
    }

    /// What is looked for more often than anything can be heard would never be found.
    private func checkTimes(_ table: TableReader, _ interval: Duration, _ problems: ProblemCollector) {
        func check(_ setting: String, _ duration: Duration?, _ isFine: (Duration) -> Bool, _ relation: String) {
            guard let duration, !isFine(duration) else { return }
            let key = table.has(setting) ? setting : Schema.interval.setting.name
            let shown = DurationText.render(duration).inQuotes
            problems.add(
                table.place(of: key), table.table.path(of: key),
                "interval is \(DurationText.render(interval).inQuotes), and \(setting) is \(shown)",
                allowed: "\(setting) \(relation) interval")
        }
        check(Schema.sensorTimeout.setting.name, sensorTimeout, { $0 > interval }, "longer than")
        check(Schema.frozenAfter.setting.name, frozenAfter, { $0 > interval }, "longer than")
        check(Schema.forecast.setting.name, forecast?.horizon, { $0 >= interval }, "at least as long as")
    }
}

extension TableReader {
    /// More than anybody needs: they all have to fit into one message to the monitor.
    private static let most = 64

    fileprivate func counted(_ schema: TableSchema, _ problems: ProblemCollector) -> [SourcedTable.Piece] {
        let pieces = pieces(of: schema)
        if pieces.count > Self.most {
            problems.add(
                pieces[Self.most].place, schema.path, "there are \(pieces.count) tables \(schema.header)",
                allowed: "at most \(Self.most)")
        }
        return pieces
    }
}
