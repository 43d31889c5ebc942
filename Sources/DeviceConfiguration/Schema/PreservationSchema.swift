import SelfPreservation

/// `[preservation]` and the tables in it.
enum PreservationSchema {
    private static let day = Duration.seconds(86_400)
    private static let resumeWithout = "nine tenths of the lowest of the others"

    static let enabled = Setting.optional(
        "enabled", .boolean, default: true, "Whether the device protects itself; otherwise nothing is ever shed.",
        misnomers: ["enable", "active"])
    static let interval = Setting.optional(
        "interval", .duration(.milliseconds(100)...(.seconds(3600))), default: .seconds(5),
        "Between two readings of a sensor.", misnomers: ["period", "poll_interval", "sampling", "every"])
    static let temperature = ThresholdSchema(
        .rising, PreservationPolicy.plausible, "in degrees Celsius",
        resumeWithout: "`hysteresis` below `pause_at`")
    static let margin = ThresholdSchema(
        .margin, 0...150, "in degrees",
        defaults: ThresholdSchema.Defaults(throttle: 12, pause: 8, critical: 3, resume: 15),
        resumeWithout: "`hysteresis` more than `pause_margin`")
    static let hysteresis = Setting.optional(
        "hysteresis", .number(0.1...50), default: 3,
        "How many degrees below their thresholds the levels throttle and critical are left again.")
    static let dwell = Setting.optional(
        "dwell", .duration(.zero...day), default: .seconds(30),
        "How long it must have been better, without a break, before a level is left; twice as long after each relapse.",
        misnomers: ["hold", "cooldown"])
    static let shedInterval = Setting.optional(
        "shed_interval", .duration(.zero...day), default: .seconds(5),
        "Between two workers that are paused, to see whether it helps.")
    static let restoreInterval = Setting.optional(
        "restore_interval", .duration(.zero...day), default: .seconds(10), "Between two workers that come back.",
        misnomers: ["resume_interval"])
    static let forecast = Setting.optional(
        "forecast", .duration(.seconds(1)...(.seconds(600)), or: "off"), default: .seconds(30),
        "How far ahead a temperature is extrapolated: who would cross a threshold within that time has crossed it.",
        misnomers: ["horizon", "forecast_horizon"])
    static let forecastTolerance = Setting.optional(
        "forecast_tolerance", .number(0.1...50), default: 3,
        "A forecast that has been wrong by more degrees than this on average is ignored.")
    static let sensorTimeout = Setting.optional(
        "sensor_timeout", .duration(.milliseconds(200)...day), default: .seconds(15),
        "A sensor that has said nothing plausible for this long is lost. More than `interval`.")
    static let frozenAfter = Setting.optional(
        "frozen_after", .duration(.seconds(1)...(.seconds(86_400 * 7)), or: "off"), default: nil,
        "A sensor that has said the same for this long is lost; `off` where steady values are normal.")
    static let sensorsLostHold = Setting.optional(
        "sensors_lost_hold", .duration(.zero...day), default: .seconds(60),
        "How long a lost sensor's level holds; after that, the other sensors decide.")
    static let sensorsLostLevel = Setting.optional(
        "sensors_lost_level", .level, default: .throttle, "The level when no sensor is left, after that time.")
    static let criticalCommand = Setting.optional(
        "critical_command", .command, otherwise: "none",
        "What is run each time that the level becomes critical, as `default_user`: a program and its arguments, never a "
            + "shell. It is told why in `HOLDFAST_LEVEL_REASON`, and ended after 30 s.",
        misnomers: ["on_critical", "alert_command"])
    static let metricsPort = Setting.optional(
        "metrics_port", .integer(1024...65_535, or: "off"), default: nil,
        "On which port of 127.0.0.1 Prometheus finds the metrics.", misnomers: ["port", "prometheus_port"])

    private static let percentOfTime = "in percent of the time in which some task waited (PSI)"
    static let memory = QuantitySchema(
        "memory",
        ThresholdSchema(
            .rising, 0...100, percentOfTime,
            defaults: ThresholdSchema.Defaults(pause: 40, critical: 70, resume: 10), resumeWithout: resumeWithout))
    static let processor = QuantitySchema(
        "cpu", ThresholdSchema(.rising, 0...100, percentOfTime, resumeWithout: resumeWithout))
    static let disk = QuantitySchema(
        "io", ThresholdSchema(.rising, 0...100, percentOfTime, resumeWithout: resumeWithout))
    static let load = QuantitySchema(
        "load",
        ThresholdSchema(
            .rising, 0...1000, "in tasks that want to run, for each processor, over 1 minute",
            resumeWithout: resumeWithout))

    static let sensorTable = TableSchema(
        "preservation.sensor", occurrence: .repeated,
        settings: [SensorSchema.match.description, SensorSchema.offset.description, SensorSchema.ignore.description])
    static let diskTable = TableSchema(
        "preservation.disk", occurrence: .repeated,
        settings: [DiskSchema.path.description] + DiskSchema.thresholds.settings)

    static let table = TableSchema(
        "preservation",
        settings: [enabled.description, interval.description] + temperature.settings + margin.settings + [
            hysteresis.description, dwell.description, shedInterval.description, restoreInterval.description,
            forecast.description, forecastTolerance.description, sensorTimeout.description, frozenAfter.description,
            sensorsLostHold.description, sensorsLostLevel.description, criticalCommand.description,
            metricsPort.description,
        ],
        subtables: [memory.table, processor.table, disk.table, load.table, sensorTable, diskTable])
}

/// A table that holds the thresholds of one quantity.
struct QuantitySchema: Sendable {
    let thresholds: ThresholdSchema
    let table: TableSchema

    init(_ name: String, _ thresholds: ThresholdSchema) {
        self.thresholds = thresholds
        table = TableSchema("preservation.\(name)", settings: thresholds.settings)
    }
}

/// `[[preservation.sensor]]`.
enum SensorSchema {
    static let match = Setting.required(
        "match", .text("a pattern of names of sensors such as \"coretemp-*/Core *\"", limit: 256),
        "Which sensors; the first table that matches one counts. `*`, `?` and `[...]` are as in glob(7).",
        misnomers: ["name", "sensor", "glob", "pattern"])
    static let offset = Setting.optional(
        "offset", .number(-200...200), default: 0, "Added to what they say, in degrees or whatever they measure.")
    static let ignore = Setting.optional(
        "ignore", .boolean, default: false, "Whether they are not looked at.", misnomers: ["ignored", "disabled"])
}

/// `[[preservation.disk]]`.
enum DiskSchema {
    static let path = Setting.required(
        "path", .plainPath, "A path of the file system that is watched.", misnomers: ["mount", "directory"])
    static let thresholds = ThresholdSchema(
        .rising, 0...100, "in percent used", resumeWithout: "nine tenths of the lowest of the others")
}

extension SettingType<Level> {
    static let level = SettingType(
        allowed: Level.allCases.map(\.name).alternatives, write: { .string($0.name) }
    ) { value throws(TextMistake) in
        let text = try value.text()
        guard let level = Level(name: text) else {
            throw TextMistake(reason: text.notOne(of: Level.allCases.map(\.name)))
        }
        return level
    }
}
