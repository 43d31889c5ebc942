package import MonotonicTime

/// Where the device stands, and why.
package struct PreservationStatus: Equatable, Sendable {
    package var level: Level
    package var isThrottled: Bool
    /// No sensor says anything plausible.
    package var isBlind: Bool
    package var sensors: [Sensor]
    /// Of those with a rule.
    package var gauges: [Gauge]
    package var causes: [CauseStatus]

    package struct Sensor: Equatable, Sendable {
        package var name: String
        /// The last believed value.
        package var celsius: Double?
        package var fault: SensorFault?
        package var level: Level
        /// From which value on that level holds; `nil` at the level normal.
        package var threshold: Double?
        package var forecast: ForecastStatus?
    }

    package struct Gauge: Equatable, Sendable {
        package var quantity: Quantity
        /// `nil` before the first measurement.
        package var value: Double?
        package var level: Level
        /// From which value on that level holds; `nil` at the level normal.
        package var threshold: Double?
    }

    package struct ForecastStatus: Equatable, Sendable {
        /// At the horizon.
        package var celsius: Double
        /// In degrees, of late; `nil` before anything could be compared.
        package var meanError: Double?
        package var isTrusted: Bool
    }

    package struct CauseStatus: Equatable, Sendable {
        package var cause: Cause
        package var level: Level
        /// In the order in which they went; the last one comes back first.
        package var shed: [String]
        /// When the next one goes unless things get better.
        package var nextShed: MonotonicInstant?
        /// When the level is left if things stay as they are.
        package var relief: MonotonicInstant?
        /// When the next one comes back if things stay as they are.
        package var nextRestore: MonotonicInstant?
    }
}
