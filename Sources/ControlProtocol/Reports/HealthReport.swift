/// What the device feels and does about it: type Health of the interface. From `holdfast-monitor`, but for `throttledBy`.
package struct HealthReport: Equatable, Sendable {
    /// `normal`, `throttle`, `shed` or `critical`: the worst of all causes.
    package var level: String
    /// Whether workers get less of the processor.
    package var isThrottled: Bool
    /// By which means they do, such as "cpu.max" or "nice and SCHED_BATCH"; `nil` when nothing is throttled.
    package var throttledBy: String?
    /// There were temperature sensors, and none says anything plausible any more.
    package var isBlind: Bool
    /// Between two readings, in seconds.
    package var interval: Double
    package var sensors: [SensorReport]
    package var quantities: [QuantityReport]
    package var causes: [CauseReport]
    package var workers: [WorkerUseReport]
    /// What the monitor cannot do here.
    package var warnings: [String]

    package init(
        level: String, isThrottled: Bool = false, throttledBy: String? = nil, isBlind: Bool = false, interval: Double,
        sensors: [SensorReport] = [], quantities: [QuantityReport] = [], causes: [CauseReport] = [],
        workers: [WorkerUseReport] = [], warnings: [String] = []
    ) {
        self.level = level
        self.isThrottled = isThrottled
        self.throttledBy = throttledBy
        self.isBlind = isBlind
        self.interval = interval
        self.sensors = sensors
        self.quantities = quantities
        self.causes = causes
        self.workers = workers
        self.warnings = warnings
    }
}

/// One sensor: type Sensor of the interface.
package struct SensorReport: Equatable, Sendable {
    /// Unique, such as "coretemp-isa-0000/Package id 0" or "thermal_zone0/cpu-thermal".
    package var name: String
    /// `temperature`, `fan`, `voltage` or `power`.
    package var kind: String
    /// The last believed value, in degrees Celsius, turns a minute, volts or watts.
    package var value: Double?
    /// What the chip or the zone calls its highest value.
    package var limit: Double?
    /// `implausible`, `frozen` or `silent`.
    package var fault: String?
    /// What it asks for; only temperatures ask for more than `normal`.
    package var level: String
    package var forecast: ForecastReport?

    package init(
        name: String, kind: String, value: Double? = nil, limit: Double? = nil, fault: String? = nil, level: String,
        forecast: ForecastReport? = nil
    ) {
        self.name = name
        self.kind = kind
        self.value = value
        self.limit = limit
        self.fault = fault
        self.level = level
        self.forecast = forecast
    }
}

/// What a temperature is expected to be: type Forecast of the interface.
package struct ForecastReport: Equatable, Sendable {
    package var value: Double
    /// How far ahead, in seconds.
    package var horizon: Double
    /// By how many degrees the forecasts of late were wrong; `nil` before any could be compared.
    package var meanError: Double?
    /// One that has been wrong is ignored.
    package var isTrusted: Bool

    package init(value: Double, horizon: Double, meanError: Double? = nil, isTrusted: Bool) {
        self.value = value
        self.horizon = horizon
        self.meanError = meanError
        self.isTrusted = isTrusted
    }
}

/// Something that is measured besides temperatures: type Quantity of the interface.
package struct QuantityReport: Equatable, Sendable {
    /// `memory`, `cpu` or `io` (pressure), `load`, or `disk:` and a path.
    package var name: String
    /// In percent; the load for each processor. `nil` before the first measurement.
    package var value: Double?
    package var level: String

    package init(name: String, value: Double? = nil, level: String) {
        self.name = name
        self.value = value
        self.level = level
    }
}

/// What one cause asks for, and what was done about it: type Cause of the interface.
package struct CauseReport: Equatable, Sendable {
    /// `heat`, `memory` or `pressure`.
    package var cause: String
    package var level: String
    /// In a person's words; `nil` at the level `normal`.
    package var why: String?
    /// In the order in which they went; the last one comes back first.
    package var shed: [String]
    /// When the next is shed unless things get better, in seconds from now.
    package var nextShed: Double?
    /// When the level is left if things stay as they are, in seconds from now.
    package var relief: Double?
    /// When the next comes back if things stay as they are, in seconds from now.
    package var nextRestore: Double?

    package init(
        cause: String, level: String, why: String? = nil, shed: [String] = [], nextShed: Double? = nil,
        relief: Double? = nil, nextRestore: Double? = nil
    ) {
        self.cause = cause
        self.level = level
        self.why = why
        self.shed = shed
        self.nextShed = nextShed
        self.relief = relief
        self.nextRestore = nextRestore
    }
}

/// What a worker uses, and how it answers its probes: type WorkerUse of the interface.
package struct WorkerUseReport: Equatable, Sendable {
    package var name: String
    /// Of one processor, since the sample before; `nil` until there are two.
    package var processorPercent: Double?
    /// Of all its processes where it has a cgroup, else of its main process, in seconds.
    package var processorTime: Double?
    /// Of its main process.
    package var residentBytes: Int?
    /// Of its main process.
    package var threads: Int?
    package var probes: [ProbeReport]

    package init(
        name: String, processorPercent: Double? = nil, processorTime: Double? = nil, residentBytes: Int? = nil,
        threads: Int? = nil, probes: [ProbeReport] = []
    ) {
        self.name = name
        self.processorPercent = processorPercent
        self.processorTime = processorTime
        self.residentBytes = residentBytes
        self.threads = threads
        self.probes = probes
    }
}

/// One probe of a worker: type Probe of the interface.
package struct ProbeReport: Equatable, Sendable {
    package var name: String
    /// `exec`, `tcp` or `http`.
    package var kind: String
    /// `waiting` (nothing has been heard yet), `passing`, `failing` or `suspended` (the worker does not run).
    package var state: String
    /// In a row.
    package var failures: Int
    package var lastFailure: String?

    package init(name: String, kind: String, state: String, failures: Int = 0, lastFailure: String? = nil) {
        self.name = name
        self.kind = kind
        self.state = state
        self.failures = failures
        self.lastFailure = lastFailure
    }
}
