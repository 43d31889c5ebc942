/// What was measured, and what has changed.
package enum Event: Equatable, Sendable {
    /// - Parameter limit: what the chip calls its highest temperature, in degrees Celsius.
    case temperature(sensor: String, celsius: Double, limit: Double?)
    /// There is such a sensor, whether or not it says anything: from now on its silence counts.
    case sensorFound(String)
    /// It does not count any more.
    case sensorIgnored(String)
    case measured(Quantity, Double)
    /// All that are not essential, in the order of the tree.
    case workersChanged([SheddableWorker])
    case policyChanged(PreservationPolicy)
    /// Time has come to `nextDeadline`. Early or superfluous calls are harmless.
    case deadlineReached
}

/// What to do, in order.
package enum Action: Equatable, Sendable {
    case shed(String, Cause)
    case restore(String, Cause)
    case throttle(Bool)
    case levelChanged(Cause, from: Level, to: Level)
    /// Once, whatever else becomes wrong with it until it recovers.
    case sensorFailed(String, SensorFault)
    case sensorRecovered(String)
    /// There were sensors, and none of them says anything plausible any more.
    case allSensorsLost
}
