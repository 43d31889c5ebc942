package import LinuxSystem
package import SelfPreservation

/// `[preservation]`: how the device protects itself from heat and from running out of something.
package struct PreservationSettings: Equatable, Sendable {
    package var isEnabled: Bool
    /// What it decides by; asks for nothing when it is switched off.
    package var policy: PreservationPolicy
    /// Between two readings of a sensor.
    package var interval: Duration
    /// In the order of the files; the first one that matches a sensor counts.
    package var sensors: [Sensor]
    /// What is run each time that the level becomes critical; empty for nothing.
    package var criticalCommand: [String]
    /// `default_user` in numbers, once the machine was asked; `nil` when it does not know that one.
    package var commandIdentity: SpawnRequest.Identity?
    /// Of the loopback interface; `nil` for none.
    package var metricsPort: Int?

    /// What is special about the sensors with certain names.
    package struct Sensor: Equatable, Sendable {
        /// A glob(7) pattern.
        package var match: String
        /// Added to what they say.
        package var offset: Double
        package var isIgnored: Bool
    }

    /// Whether anybody wants to know what a monitor could say.
    package var needsMonitor: Bool { isEnabled || metricsPort != nil }
}
