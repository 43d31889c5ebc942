/// So many requests a second in the long run, and so many at once.
package struct RateLimit: Equatable, Sendable {
    package var perSecond: Double
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What is left of a rate limit: a bucket of tokens that fills by itself.
struct RequestBudget {
    private var tokens: Float
    private var filledAt: Int64 = 0

    init(_ limit: RateLimit) { tokens = Float(limit.burst) }

    /// - Parameter now: in milliseconds. A clock that goes back fills nothing.
    /// - Returns: `nil` when there was a token, else after how many seconds there is one.
    mutating func spend(at now: Int64, _ limit: RateLimit) -> Int? {
        if now > filledAt {
            tokens = Float(min(limit.burst, Double(tokens) + Double(now - filledAt) / 1000 * limit.perSecond))
        }
        filledAt = now
        guard tokens < 1 else {
            tokens -= 1
            return nil
        }
        return Int((Double(1 - tokens) / limit.perSecond).rounded(.up))
    }
}
