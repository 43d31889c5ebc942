import MonotonicTime

/// How far ahead a temperature is extrapolated, and when that is believed.
package struct ForecastPolicy: Equatable, Sendable {
    package var horizon: Duration
    /// A mean error above this many degrees, and the forecast is ignored until it is better again.
    package var tolerance: Double

    package init(horizon: Duration, tolerance: Double) {
        self.horizon = horizon
        self.tolerance = tolerance
    }
}

/// Holt's linear smoothing of one temperature: its level and its slope. Every forecast is kept until its time has come,
/// and then compared with what did come.
struct Forecast: Equatable, Sendable {
    private struct Promise: Equatable {
        var due: MonotonicInstant
        var value: Double
    }

    private let policy: ForecastPolicy
    private var level = 0.0
    /// Degrees a second.
    private(set) var slope = 0.0
    private var last: (value: Double, at: MonotonicInstant)?
    private var promises: [Promise] = []
    /// Mean absolute error of late, in degrees; `nil` before the first comparison.
    private(set) var meanError: Double?
    private(set) var comparisons = 0

    /// How long it takes, in seconds, until a change has arrived in the level and in the slope.
    private static let levelInertia = 2.0
    private static let slopeInertia = 8.0
    private static let errorWeight = 0.1
    /// Before so many comparisons nothing is known of its worth.
    private static let comparisonsNeeded = 5
    private static let mostPromises = 64

    init(_ policy: ForecastPolicy) {
        self.policy = policy
    }

    static func == (left: Forecast, right: Forecast) -> Bool {
        left.level == right.level && left.slope == right.slope && left.promises == right.promises
            && left.meanError == right.meanError && left.comparisons == right.comparisons
    }

    /// Whether it has been right often enough of late.
    var isTrusted: Bool {
        guard let meanError, comparisons >= Self.comparisonsNeeded else { return false }
        return meanError <= policy.tolerance
    }

    /// The value at the horizon.
    var value: Double { level + slope * policy.horizon.inSeconds }

    mutating func take(_ value: Double, at now: MonotonicInstant) {
        guard let last else { return begin(value, now) }
        let seconds = last.at.duration(to: now).inSeconds
        guard seconds > 0 else { return }
        // After a gap the slope of before says nothing.
        if seconds > max(60, policy.horizon.inSeconds) { return begin(value, now) }
        compare(with: value, since: last, until: now)
        let former = level
        let weight = seconds / (seconds + Self.levelInertia)
        level = weight * value + (1 - weight) * (level + slope * seconds)
        let slopeWeight = seconds / (seconds + Self.slopeInertia)
        slope = slopeWeight * (level - former) / seconds + (1 - slopeWeight) * slope
        self.last = (value, now)
        if promises.count < Self.mostPromises {
            promises.append(Promise(due: now + policy.horizon, value: self.value))
        }
    }

    private mutating func begin(_ value: Double, _ now: MonotonicInstant) {
        level = value
        slope = 0
        last = (value, now)
        promises = []
    }

    /// What fell due between two values is compared with the line between them.
    private mutating func compare(
        with value: Double, since last: (value: Double, at: MonotonicInstant), until now: MonotonicInstant
    ) {
        let step = last.at.duration(to: now).inSeconds
        while let promise = promises.first, promise.due <= now {
            promises.removeFirst()
            let share = last.at.duration(to: promise.due).inSeconds / step
            let error = abs(promise.value - (last.value + (value - last.value) * share))
            meanError = meanError.map { $0 + Self.errorWeight * (error - $0) } ?? error
            comparisons += 1
        }
    }
}
