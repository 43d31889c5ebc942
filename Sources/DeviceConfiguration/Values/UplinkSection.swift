/// `[uplink]`: what the device sends to central, and how much it keeps until central has it.
package struct UplinkSection: Equatable, Sendable {
    package var isEnabled: Bool
    /// Replaces the address of the enrolment, such as `https://10.0.0.1:7443`.
    package var central: String?
    package var proxy: String?
    package var labels: [String: String]
    /// Readings are on disk after this time at the latest.
    package var flushInterval: Duration
    /// Between two readings of the runtime itself; `nil` for none.
    package var metricsInterval: Duration?
    package var events: Queue
    package var readings: Queue

    /// `[uplink.events]` or `[uplink.readings]`.
    package struct Queue: Equatable, Sendable {
        /// Of all files, in bytes.
        package var quota: Int64
        package var whenFull: FullQueuePolicy
        /// `nil` keeps what is not delivered.
        package var timeToLive: Duration?
    }
}

package enum FullQueuePolicy: String, CaseIterable, Sendable {
    /// The oldest goes.
    case dropOldest = "drop-oldest"
    /// The newest is not taken.
    case refuse
}

/// What a worker may send, and how.
package struct WorkerTelemetry: Equatable, Sendable {
    package enum Source: String, CaseIterable, Sendable {
        /// It writes to its telemetry socket.
        case socket
        /// Lines of its output that are JSON objects count as well.
        case stdout
        case off
    }

    package var source: Source
    /// Readings and events a second, in the long run.
    package var rate: Int
}
