import FleetAPI

/// How the service behaves. Every value has a good default.
package struct CentralSettings: Equatable, Sendable {
    /// Seconds between a device's heartbeats, and for which a request for commands waits, in a small fleet.
    package var interval: Double = 1500
    /// Heartbeats and requests for commands of all devices together, a second. A larger fleet gets longer intervals.
    package var requestBudget: Double = 50
    /// The longest that a request for commands may wait, in seconds.
    package var longestWait: Int = 3600
    /// Commands in one answer.
    package var commandsAtOnce = 32
    /// What devices send of old data, in bytes a second; 0 is no bound.
    package var drainBytesPerSecond = 0
    package var deviceRate = RateLimit(perSecond: 50, burst: 200)
    package var operatorRate = RateLimit(perSecond: 50, burst: 200)
    /// Of one address that has not shown who it is.
    package var strangerRate = RateLimit(perSecond: 5, burst: 60)
    /// A connection on which nothing comes is closed.
    package var idleSeconds: Int64 = 120
    package var largestConnectionCount = 60_000
    /// Telemetry, events and finished commands are deleted after that; `nil` keeps them.
    package var retentionDays: Int? = 90
    /// The oldest readings go when the database is larger; `nil` lets it grow.
    package var largestDatabase: Int?
    /// Of one archive, in bytes. No bundle is larger than that (docs/bundle-format.md, B1).
    package var largestBundle = 16 << 30

    /// All come from one address; whose request it is, the proxy says in `X-Forwarded-For`.
    package var isBehindProxy = false

    package init() {}

    /// Seconds between heartbeats for a fleet of that size.
    package func interval(devices: Int) -> Double {
        // Each device sends two requests in an interval.
        min(max(interval, Double(devices) * 2 / requestBudget), Double(longestWait))
    }
}

/// Bounds of what clients send, in bytes.
package enum RequestLimits {
    package static let enrolment = 64 << 10
    package static let heartbeat = 256 << 10
    package static let attachment = 8 << 20
    package static let operatorRequest = 256 << 10
}
