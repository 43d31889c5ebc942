/// The kinds of events on the wire. Stable names: operators filter by them.
enum EventKind: String, CaseIterable {
    case workerChanged = "worker-changed"
    case workerFailed = "worker-failed"
    case workerRecovered = "worker-recovered"
    case groupRestarted = "group-restarted"
    case intensityExceeded = "intensity-exceeded"
    case supervisorRetried = "supervisor-retried"
    /// An incident has its last output lines.
    case incidentCompleted = "incident-completed"
    case groupAbandoned = "group-abandoned"
    case reloaded
    case outputLost = "output-lost"
    /// Events that are not in the log.
    case eventsLost = "events-lost"
    case notifyRefused = "notify-refused"
    case runtimeStarted = "runtime-started"
    /// Running workers were taken over from a runtime that has died or was replaced.
    case runtimeAdopted = "runtime-adopted"
    /// Another binary is executed in this one's place.
    case runtimeUpgrading = "runtime-upgrading"
    case runtimeStopping = "runtime-stopping"
    /// How far the device goes to protect itself, for one cause.
    case levelChanged = "level-changed"
    case throttled
    /// Somebody should look at the device now.
    case alert
    case workerShed = "worker-shed"
    case workerRestored = "worker-restored"
    case sensorFailed = "sensor-failed"
    case sensorRecovered = "sensor-recovered"
    case probeFailed = "probe-failed"
    case probeRecovered = "probe-recovered"
    /// The device is known to central from now on.
    case uplinkEnrolled = "uplink-enrolled"
    case uplinkRefused = "uplink-refused"
    case uplinkConnected = "uplink-connected"
    case uplinkDisconnected = "uplink-disconnected"
    /// What workers reported and nobody took in.
    case telemetryLost = "telemetry-lost"
    /// Of a plugin: what has become of it.
    case commandEnded = "command-ended"
    /// Of a bundle: it stands otherwise than before, or has come to its end.
    case deploymentChanged = "deployment-changed"
    case warning
}
