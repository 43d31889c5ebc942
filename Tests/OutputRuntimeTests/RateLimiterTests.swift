import MonotonicTime
import SeededRandom
import TestSupport
import Testing

@testable import OutputRuntime

@Suite struct RateLimiterTests {
    private static let cost = RateLimiter.costPerLine

    @Test func admitsTheBurstThenTheRate() {
        var limiter = RateLimiter(rate: 1000, burst: 500, at: .zero)
        let line = 100 - Self.cost
        let first = (0..<100).filter { _ in limiter.admit(bytes: line, at: .zero) }.count
        #expect(first == 5)
        let later = MonotonicInstant.zero.advanced(by: .milliseconds(299))
        let second = (0..<100).filter { _ in limiter.admit(bytes: line, at: later) }.count
        #expect(second == 3)
    }

    @Test func admitsALineLongerThanTheBurst() {
        var limiter = RateLimiter(rate: 10, burst: 5, at: .zero)
        let answer1 = limiter.admit(bytes: 10_000, at: .zero)
        #expect(answer1)
        let answer2 = limiter.admit(bytes: 1, at: .zero.advanced(by: .seconds(1)))
        #expect(!answer2)
        let answer3 = limiter.admit(bytes: 1, at: .zero.advanced(by: .seconds(2000)))
        #expect(answer3)
    }

    @Test func limitsEmptyLinesToo() {
        var limiter = RateLimiter(rate: 1000, burst: 10 * Self.cost, at: .zero)
        let admitted = (0..<1000).filter { _ in limiter.admit(bytes: 0, at: .zero) }
        #expect(admitted.count == 10)
    }

    @Test func aRateOfZeroIsNoLimit() {
        var limiter = RateLimiter(rate: 0, burst: 1, at: .zero)
        let admitted = (0..<1000).filter { _ in limiter.admit(bytes: 1 << 20, at: .zero) }
        #expect(admitted.count == 1000)
    }

    @Test func doesNotGainFromAClockThatStandsStill() {
        var limiter = RateLimiter(rate: 1_000_000, burst: Self.cost, at: .zero.advanced(by: .seconds(5)))
        let answer4 = limiter.admit(bytes: 0, at: .zero)
        #expect(answer4)
        let answer5 = limiter.admit(bytes: 0, at: .zero)
        #expect(!answer5)
    }

    @Test func neverAdmitsMoreThanBurstPlusRate() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let rate = Int.random(in: 1...10_000, using: &random)
            let burst = Int.random(in: 1...5000, using: &random)
            var limiter = RateLimiter(rate: rate, burst: burst, at: .zero)
            var now = MonotonicInstant.zero
            var admitted = 0
            var longest = 0
            for _ in 0..<200 {
                now = now.advanced(by: .microseconds(Int.random(in: 0...20_000, using: &random)))
                let bytes = Int.random(in: 0...300, using: &random)
                longest = max(longest, bytes + Self.cost)
                if limiter.admit(bytes: bytes, at: now) { admitted += bytes + Self.cost }
            }
            let allowed = Double(burst) + Double(rate) * MonotonicInstant.zero.duration(to: now).inSeconds
            #expect(Double(admitted) <= allowed + Double(longest) + 1, "seed \(seed)")
        }
    }

    @Test func adjustingKeepsWhatWasUsedUp() {
        var limiter = RateLimiter(rate: 100, burst: 100, at: .zero)
        while limiter.admit(bytes: 10, at: .zero) {}
        limiter.adjust(rate: 1000, burst: 10_000, at: .zero)
        let answer6 = limiter.admit(bytes: 10, at: .zero)
        #expect(!answer6)
        let answer7 = limiter.admit(bytes: 10, at: .zero.advanced(by: .seconds(1)))
        #expect(answer7)
    }
}
