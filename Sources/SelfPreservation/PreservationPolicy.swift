import MonotonicTime

/// What is measured besides temperatures.
package enum Quantity: Hashable, Sendable {
    /// The share of time, in percent, in which some task waited (PSI, /proc/pressure).
    case memoryPressure
    case processorPressure
    case diskPressure
    /// In percent used, by path.
    case fileSystem(String)
    /// For each processor (/proc/loadavg).
    case load

    package var cause: Cause { self == .memoryPressure ? .memory : .pressure }

    private static let fileSystemPrefix = "disk:"

    /// Such as "memory", "cpu", "io", "load" or "disk:/var".
    package var name: String {
        switch self {
        case .memoryPressure: "memory"
        case .processorPressure: "cpu"
        case .diskPressure: "io"
        case .load: "load"
        case .fileSystem(let path): Quantity.fileSystemPrefix + path
        }
    }

    package init?(name: String) {
        switch name {
        case "memory": self = .memoryPressure
        case "cpu": self = .processorPressure
        case "io": self = .diskPressure
        case "load": self = .load
        default:
            guard name.hasPrefix(Quantity.fileSystemPrefix) else { return nil }
            self = .fileSystem(String(name.dropFirst(Quantity.fileSystemPrefix.count)))
        }
    }
}

/// The rules, from the configuration.
package struct PreservationPolicy: Equatable, Sendable {
    /// In degrees Celsius.
    package var temperature: LadderPolicy
    /// In degrees below the limit that a chip gives for itself, where it gives one; `nil`: the chip's limit is not looked at.
    /// Thresholds are negative: -10 is ten degrees below.
    package var belowLimit: LadderPolicy?
    package var quantities: [Quantity: LadderPolicy]
    /// A pause between two workers, to see whether it helped.
    package var shedInterval: Duration
    package var restoreInterval: Duration
    package var forecast: ForecastPolicy?
    /// A sensor that has said nothing plausible for this long is lost.
    package var sensorTimeout: Duration
    /// The same value for this long is no measurement; `nil`: it may be.
    package var frozenAfter: Duration?
    /// How long a lost sensor's level holds.
    package var blindHold: Duration
    /// The level without any sensor, after `blindHold`.
    package var blindLevel: Level

    package init(
        temperature: LadderPolicy, belowLimit: LadderPolicy? = nil, quantities: [Quantity: LadderPolicy] = [:],
        shedInterval: Duration = .seconds(5), restoreInterval: Duration = .seconds(10),
        forecast: ForecastPolicy? = nil, sensorTimeout: Duration = .seconds(10), frozenAfter: Duration? = nil,
        blindHold: Duration = .seconds(60), blindLevel: Level = .throttle
    ) {
        self.temperature = temperature
        self.belowLimit = belowLimit
        self.quantities = quantities
        self.shedInterval = shedInterval
        self.restoreInterval = restoreInterval
        self.forecast = forecast
        self.sensorTimeout = sensorTimeout
        self.frozenAfter = frozenAfter
        self.blindHold = blindHold
        self.blindLevel = blindLevel
    }

    /// Values that no working sensor of a device gives, in degrees Celsius.
    package static let plausible = -40.0...150.0
}

/// A worker as far as shedding it goes. Essential ones are not told of.
package struct SheddableWorker: Equatable, Sendable {
    package var name: String
    /// The lower, the earlier.
    package var order: Int
    /// How much of a processor it uses; among equals the one that heats most goes first.
    package var use: Double

    package init(name: String, order: Int, use: Double = 0) {
        self.name = name
        self.order = order
        self.use = use
    }
}
