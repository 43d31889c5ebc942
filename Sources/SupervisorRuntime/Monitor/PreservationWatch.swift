import MonotonicTime
import SelfPreservation

/// What `holdfastd` remembers of what its monitors said. Pure: time is an argument.
struct PreservationWatch {
    private var levels: [Cause: Level] = [:]
    /// Before the monitor that is there now: it begins at normal, whatever was.
    private var formerLevels: [Cause: Level] = [:]
    private var startedAt: MonotonicInstant?
    /// Whether the monitor that is there now has said anything about throttling.
    private(set) var hasSpokenOfThrottling = false

    /// A monitor that finds within this time what the one before it had found has found nothing new.
    private static let takeover: Duration = .seconds(60)

    mutating func monitorStarts(at now: MonotonicInstant) {
        // One that died before it could say anything takes nothing back.
        let isShortLived = startedAt.map { $0.duration(to: now) < Self.takeover } ?? false
        formerLevels = isShortLived ? formerLevels.merging(levels) { $1 } : levels
        levels = [:]
        startedAt = now
        hasSpokenOfThrottling = false
    }

    mutating func throttlingWasSaid() {
        hasSpokenOfThrottling = true
    }

    /// Notes a level.
    /// - Returns: whether the device has become critical just now, by this cause and by no other before.
    mutating func note(_ level: Level, of cause: Cause, at now: MonotonicInstant) -> Bool {
        let wasCritical = levels.values.contains(.critical)
        levels[cause] = level
        guard level == .critical, !wasCritical else { return false }
        let isTakenOver = startedAt.map { $0.duration(to: now) < Self.takeover } ?? false
        return !(isTakenOver && formerLevels[cause] == .critical)
    }
}
