import MonotonicTime

/// A token bucket: how much of a worker's output is kept. A line passes while there are tokens at all, and may take
/// more than there are, so that a line longer than the burst passes too; within any period the admitted bytes are at
/// most burst + rate x period + one line.
struct RateLimiter {
    /// What a line costs beyond its bytes: its timestamp in a file, its entry in the journal. Without it a worker that
    /// prints empty lines would write thirty times its rate.
    static let costPerLine = 32

    /// Bytes per second; 0 for no limit.
    private(set) var rate: Int
    private(set) var burst: Int
    private var tokens: Double
    private var refilled: MonotonicInstant

    init(rate: Int, burst: Int, at now: MonotonicInstant) {
        self.rate = max(rate, 0)
        self.burst = max(burst, 1)
        tokens = Double(self.burst)
        refilled = now
    }

    /// Whether a line of so many bytes passes; if so, it is charged.
    mutating func admit(bytes: Int, at now: MonotonicInstant) -> Bool {
        guard rate > 0 else { return true }
        refill(at: now)
        guard tokens > 0 else { return false }
        tokens -= Double(bytes + RateLimiter.costPerLine)
        return true
    }

    /// Takes new settings; what was used up stays used up.
    mutating func adjust(rate: Int, burst: Int, at now: MonotonicInstant) {
        refill(at: now)
        self.rate = max(rate, 0)
        self.burst = max(burst, 1)
        tokens = min(tokens, Double(self.burst))
    }

    private mutating func refill(at now: MonotonicInstant) {
        guard now > refilled else { return }
        let gained = refilled.duration(to: now).inSeconds * Double(rate)
        tokens = min(tokens + gained, Double(burst))
        refilled = now
    }
}
