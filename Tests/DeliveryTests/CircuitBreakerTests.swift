import Delivery
import MonotonicTime
import SeededRandom
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private static let now = MonotonicInstant.zero + .seconds(1000)

    private static func breaker(_ name: String) -> CircuitBreaker {
        var breaker = CircuitBreaker()
        var random = SeededGenerator(seed: 1)
        func fail(_ count: Int) {
            for second in 0..<count {
                let began = MonotonicInstant.zero + .seconds(second)
                _ = breaker.handle(.failed(began: began), at: began, using: &random)
            }
        }
        switch name {
        case "closed": fail(2)
        case "open": fail(5)
        default:
            fail(5)
            _ = breaker.handle(.deadlineReached, at: now, using: &random)
            if name == "probing" { _ = breaker.handle(.requestBegan, at: now, using: &random) }
        }
        return breaker
    }

    /// What each state makes of each event.
    static let table: [(from: String, event: CircuitBreaker.Event, to: String, actions: [CircuitBreaker.Action])] = [
        ("closed", .requestBegan, "closed 2", []),
        ("closed", .answered, "closed 0", []),
        ("closed", .failed(began: now), "closed 3", []),
        ("closed", .failed(began: .zero), "closed 2", []),
        ("closed", .deadlineReached, "closed 2", []),
        ("open", .requestBegan, "open 5", []),
        ("open", .answered, "closed 0", [.closed]),
        ("open", .failed(began: now), "open 5", []),
        ("open", .deadlineReached, "half-open 5", []),
        ("half-open", .requestBegan, "probing 5", []),
        ("half-open", .answered, "closed 0", [.closed]),
        ("half-open", .failed(began: now), "half-open 5", []),
        ("half-open", .deadlineReached, "half-open 5", []),
        ("probing", .requestBegan, "probing 5", []),
        ("probing", .answered, "closed 0", [.closed]),
        ("probing", .failed(began: now), "open 6", []),
        ("probing", .failed(began: .zero), "probing 5", []),
        ("probing", .deadlineReached, "probing 5", []),
    ]

    @Test("goes from each state with each event where the table says", arguments: table.indices)
    func followsTable(row: Int) {
        let (from, event, to, actions) = Self.table[row]
        var breaker = Self.breaker(from)
        var random = SeededGenerator(seed: 2)
        #expect(breaker.handle(event, at: Self.now, using: &random) == actions)
        let name =
            switch breaker.state {
            case .closed(let failures): "closed \(failures)"
            case .open(let failures, _): "open \(failures)"
            case .halfOpen(let failures, isProbing: false): "half-open \(failures)"
            case .halfOpen(let failures, isProbing: true): "probing \(failures)"
            }
        #expect(name == to, "\(from), \(event)")
        #expect(breaker.letsThrough == (name.hasPrefix("closed") || name.hasPrefix("half")))
    }

    @Test("stays open until its time, which is random and bounded")
    func staysOpen() throws {
        for seed in UInt64(0)..<100 {
            var breaker = CircuitBreaker()
            var random = SeededGenerator(seed: seed)
            for second in 0..<5 {
                let at = MonotonicInstant.zero + .seconds(second)
                _ = breaker.handle(.failed(began: at), at: at, using: &random)
            }
            let until = try #require(breaker.deadline)
            #expect(until <= .zero + .seconds(4 + 32))
            _ = breaker.handle(.deadlineReached, at: until + .nanoseconds(-1), using: &random)
            #expect(!breaker.letsThrough)
            _ = breaker.handle(.deadlineReached, at: until, using: &random)
            #expect(breaker.letsThrough)
        }
    }
}

@Suite("Retries")
struct RetryTests {
    @Test("wait up to 2 s, 4 s, 8 s and so on up to 5 min, spread over all of it")
    func backOff() {
        #expect(
            (1...10).map { Backoff.bound(failures: $0) }
                == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map { .seconds($0) })
        var random = SeededGenerator(seed: 7)
        let delays = (0..<1000).map { _ in Backoff.delay(failures: 3, using: &random) }
        #expect(delays.allSatisfy { $0 >= Backoff.shortest && $0 <= .seconds(8) })
        #expect(delays.contains { $0 < .seconds(1) } && delays.contains { $0 > .seconds(7) })
    }

    static let table: [(outcome: Outcome, least: Duration, most: Duration)] = [
        (.failed, Backoff.shortest, .seconds(2)),
        (.throttled(.seconds(40)), .seconds(40), .seconds(40)),
        (.throttled(.zero), Backoff.shortest, .seconds(2)),
        (.throttled(.seconds(100_000)), .seconds(3600), .seconds(3600)),
        (.pending, .seconds(30), .seconds(30)),
        (.refused, .seconds(900), .seconds(900)),
        (.unwanted, .seconds(900), .seconds(900)),
    ]

    @Test("wait as long as each outcome asks for", arguments: table.indices)
    func outcomes(row: Int) throws {
        let (outcome, least, most) = Self.table[row]
        var schedule = RetrySchedule()
        var random = SeededGenerator(seed: 3)
        schedule.handle(outcome, at: .zero, using: &random)
        let wait = MonotonicInstant.zero.duration(to: try #require(schedule.notBefore))
        #expect(wait >= least && wait <= most, "\(outcome): \(wait)")
    }

    @Test("go at once when a request has to be signed anew, twice")
    func signingAgain() {
        var schedule = RetrySchedule()
        var random = SeededGenerator(seed: 3)
        for expected in [false, false, true] {
            schedule.handle(.toBeSignedAgain, at: .zero, using: &random)
            #expect((schedule.notBefore != nil) == expected)
        }
        schedule.handle(.succeeded, at: .zero, using: &random)
        #expect(schedule == RetrySchedule())
    }

    @Test("are forgiven when central answers again, unless central has asked for the wait")
    func forgiveness() {
        var random = SeededGenerator(seed: 3)
        for (outcome, isForgiven) in [(Outcome.failed, true), (.throttled(.seconds(9)), false), (.refused, false)] {
            var schedule = RetrySchedule()
            schedule.handle(outcome, at: .zero, using: &random)
            schedule.forgive()
            #expect((schedule.notBefore == nil) == isForgiven, "\(outcome)")
        }
    }
}
