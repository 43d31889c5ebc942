import MonotonicTime

/// How many readings and events a worker may send: so many a second in the long run, and as many at once.
struct TokenBucket {
    private(set) var rate: Int
    private var tokens: Double
    private var refilled: MonotonicInstant

    /// At once, where a second's worth is less.
    private static let smallestBurst = 10

    init(rate: Int, at now: MonotonicInstant) {
        self.rate = max(rate, 1)
        tokens = Double(max(rate, Self.smallestBurst))
        refilled = now
    }

    private var burst: Double { Double(max(rate, Self.smallestBurst)) }

    /// Whether one more passes; if so, it is charged.
    mutating func admit(at now: MonotonicInstant) -> Bool {
        if now > refilled {
            tokens = min(tokens + (refilled.duration(to: now) / .seconds(1)) * Double(rate), burst)
            refilled = now
        }
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// Another rate from now on; what was used up stays used up.
    mutating func adjust(rate: Int) {
        self.rate = max(rate, 1)
        tokens = min(tokens, burst)
    }
}
