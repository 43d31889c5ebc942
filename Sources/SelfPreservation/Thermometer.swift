import MonotonicTime

/// What is wrong with a sensor.
package enum SensorFault: String, Equatable, Sendable {
    /// Outside of what is possible, or not a number.
    case implausible
    /// The same value for too long.
    case frozen
    /// Nothing came for too long.
    case silent
}

/// One temperature sensor: what of its values is believed, and the level that they ask for.
struct Thermometer: Equatable, Sendable {
    private(set) var ladder: Ladder
    private(set) var forecast: Forecast?
    /// The last believed value.
    private(set) var value: Double?
    /// That value, or the forecast where that is believed and higher.
    private var worst = 0.0
    private(set) var fault: SensorFault?
    private var changedAt: MonotonicInstant
    /// When something plausible was said last.
    private(set) var heardAt: MonotonicInstant

    /// Somebody before us has shed work for heat, and until now nobody knows whether it may come back.
    private var isResuming: Bool

    init(_ policy: PreservationPolicy, isResuming: Bool = false, at now: MonotonicInstant) {
        ladder = Ladder(policy.temperature)
        forecast = policy.forecast.map { Forecast($0) }
        changedAt = now
        heardAt = now
        self.isResuming = isResuming
    }

    /// Other rules; what was learnt stays.
    mutating func adopt(_ new: PreservationPolicy, insteadOf former: PreservationPolicy) {
        if new.forecast != former.forecast { forecast = new.forecast.map { Forecast($0) } }
    }

    /// What has become of a reading.
    enum Verdict: Equatable {
        case believed
        /// Discarded, as the ones before.
        case stillFaulty
        case faulty(SensorFault)
        case recovered
    }

    /// - Parameter limit: the chip's own, in degrees.
    mutating func take(
        _ reading: Double, limit: Double?, by policy: PreservationPolicy, at now: MonotonicInstant
    ) -> Verdict {
        guard PreservationPolicy.plausible.contains(reading) else { return fail(.implausible) }
        if reading != value { changedAt = now }
        if let frozenAfter = policy.frozenAfter, changedAt.duration(to: now) >= frozenAfter { return fail(.frozen) }
        let wasFaulty = fault != nil
        fault = nil
        value = reading
        heardAt = now
        forecast?.take(reading, at: now)
        worst = reading
        if let forecast, forecast.isTrusted { worst = max(reading, forecast.value) }
        // A chip's own limit speaks for it; what the rules say in degrees holds as well.
        if let limit, let belowLimit = policy.belowLimit {
            ladder.policy = Self.stricter(policy.temperature, belowLimit, limit: limit)
        } else {
            ladder.policy = policy.temperature
        }
        if isResuming { ladder.resume(at: worst) }
        isResuming = false
        ladder.take(worst, at: now)
        return wasFaulty ? .recovered : .believed
    }

    /// Time has passed without a reading.
    mutating func wait(_ policy: PreservationPolicy, at now: MonotonicInstant) -> Verdict {
        guard heardAt.duration(to: now) >= policy.sensorTimeout else { return .stillFaulty }
        return fail(.silent)
    }

    /// From which value on its level holds; `nil` for the level normal.
    var threshold: Double? { ladder.policy.thresholds[ladder.level]?.enter }

    /// When the level is left if the value stays as it is, and for which.
    var relief: (at: MonotonicInstant, to: Level)? { value == nil ? nil : ladder.relief(from: worst) }

    /// Of what the last believed value and the forecast say; `nil` while it is faulty.
    var strain: Double? { fault == nil && value != nil ? ladder.strain(of: worst) : nil }

    /// What was wrong first is what counts: nothing that is said is no news of a sensor that has talked nonsense before.
    private mutating func fail(_ new: SensorFault) -> Verdict {
        guard fault == nil else { return .stillFaulty }
        fault = new
        return .faulty(new)
    }

    private static func stricter(_ absolute: LadderPolicy, _ relative: LadderPolicy, limit: Double) -> LadderPolicy {
        var thresholds = absolute.thresholds
        for (level, below) in relative.thresholds {
            let own = Threshold(enter: limit + below.enter, leave: limit + below.leave)
            thresholds[level] = thresholds[level].map { $0.enter <= own.enter ? $0 : own } ?? own
        }
        return LadderPolicy(thresholds, dwell: absolute.dwell)
    }
}
