/// Where the device stands, and why.
package struct PreservationStatus: Equatable, Sendable {
    package var level: Level
    package var isThrottled: Bool
    /// No sensor says anything plausible.
    package var isBlind: Bool
    package var sensors: [Sensor]
    package var causes: [CauseStatus]

    package struct Sensor: Equatable, Sendable {
        package var name: String
        /// The last believed value.
        package var celsius: Double?
        package var fault: SensorFault?
        package var level: Level
        package var forecast: ForecastStatus?
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
    }
}
