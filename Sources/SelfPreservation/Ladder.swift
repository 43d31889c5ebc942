import MonotonicTime

/// From which value on a level holds, and below which it is left again. A value that is worse is larger.
package struct Threshold: Equatable, Sendable {
    package var enter: Double
    /// Less than `enter`: between the two nothing changes.
    package var leave: Double

    package init(enter: Double, leave: Double) {
        self.enter = enter
        self.leave = leave
    }
}

/// The thresholds of one measured quantity, and how long it has to be calm. Levels without a threshold are not reached.
package struct LadderPolicy: Equatable, Sendable {
    package var thresholds: [Level: Threshold]
    /// A level is left when the value has been below its `leave` for this long without a break.
    package var dwell: Duration

    package init(_ thresholds: [Level: Threshold], dwell: Duration) {
        self.thresholds = thresholds
        self.dwell = dwell
    }
}

/// One measured quantity and the level that it asks for: raised at once, lowered after the dwell. A device that gets hot again
/// whenever its work comes back would go to and fro for ever: with each relapse the dwell is twice as long.
struct Ladder: Equatable, Sendable {
    var policy: LadderPolicy
    private(set) var level = Level.normal
    /// Since when the value has been below what holds the level.
    private(set) var calmSince: MonotonicInstant?
    private var loweredAt: MonotonicInstant?
    private var relapses = 0

    private static let mostRelapses = 5
    /// In dwells: who has been low for longer and rises again has not relapsed.
    private static let relapseWindow = 10

    init(_ policy: LadderPolicy) {
        self.policy = policy
    }

    /// Judges a value. Later ones come with `now` never going back.
    mutating func take(_ value: Double, at now: MonotonicInstant) {
        let entered = Level.allCases.last { policy.thresholds[$0].map { value >= $0.enter } ?? false } ?? .normal
        if entered > level {
            if let loweredAt {
                let hasRelapsed = loweredAt.duration(to: now) < dwell * Self.relapseWindow
                relapses = hasRelapsed ? min(relapses + 1, Self.mostRelapses) : 0
            }
            loweredAt = nil
            level = entered
            calmSince = nil
            return
        }
        guard level > .normal, !isHeld(level, by: value) else {
            calmSince = nil
            return
        }
        let since = calmSince ?? now
        calmSince = since
        guard since.duration(to: now) >= dwell else { return }
        loweredAt = now
        level = Level.allCases.last { $0 < level && isHeld($0, by: value) } ?? .normal
        calmSince = nil
    }

    private var dwell: Duration { policy.dwell * (1 << relapses) }

    /// When the level is left if the value stays as it is, and for which; `nil` while the value holds it.
    func relief(from value: Double) -> (at: MonotonicInstant, to: Level)? {
        guard let calmSince else { return nil }
        return (calmSince + dwell, Level.allCases.last { $0 < level && isHeld($0, by: value) } ?? .normal)
    }

    /// Takes up where another one has left off, of which only that it had shed work is known: what does not allow that to
    /// come back holds on.
    mutating func resume(at value: Double) {
        if level < .shed, isHeld(.shed, by: value) { level = .shed }
    }

    /// How bad a value is: 0 where shedding ends, 1 where it begins.
    func strain(of value: Double) -> Double {
        guard let threshold = policy.thresholds[.shed] ?? policy.thresholds[.critical] else { return 0 }
        return (value - threshold.leave) / (threshold.enter - threshold.leave)
    }

    /// A level whose threshold was taken away by a reload holds nothing.
    private func isHeld(_ level: Level, by value: Double) -> Bool {
        level == .normal || (policy.thresholds[level].map { value >= $0.leave } ?? false)
    }
}
