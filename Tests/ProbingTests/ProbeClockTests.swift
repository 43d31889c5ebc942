import MonotonicTime
import Probing
import Testing

@Suite struct ProbeClockTests {
    private var clock = ProbeClock(
        ProbeSchedule(interval: .seconds(10), timeout: .seconds(2), failures: 3, startGrace: .seconds(30)))

    private func at(_ seconds: Double) -> MonotonicInstant { .zero + .seconds(seconds) }

    /// Makes the probe that is due and tells its result.
    private mutating func probe(_ failure: String?, at seconds: Double) -> [ProbeClock.Action] {
        #expect(clock.handle(.deadlineReached, at: at(seconds)) == [.begin])
        return clock.handle(.result(failure: failure), at: at(seconds))
    }

    @Test mutating func nothingIsProbedBeforeTheWorkerRuns() {
        #expect(clock.nextDeadline == nil)
        #expect(clock.handle(.deadlineReached, at: at(100)) == [])
        #expect(clock.handle(.began, at: at(100)) == [])
        #expect(clock.nextDeadline == at(110))
    }

    @Test mutating func failuresInTheStartGraceDoNotCount() {
        _ = clock.handle(.began, at: at(0))
        #expect(probe("refused", at: 10) == [])
        #expect(probe("refused", at: 20) == [])
        #expect(probe("refused", at: 30) == [.failing("refused")])
        #expect(probe("refused", at: 40) == [])
        #expect(probe("status 500", at: 50) == [.unhealthy("status 500")])
    }

    @Test mutating func aSuccessEndsTheGrace() {
        _ = clock.handle(.began, at: at(0))
        #expect(probe(nil, at: 10) == [])
        #expect(probe("refused", at: 20) == [.failing("refused")])
        #expect(probe("refused", at: 30) == [])
        #expect(probe("refused", at: 40) == [.unhealthy("refused")])
    }

    @Test mutating func aSuccessInBetweenForgetsTheFailures() {
        _ = clock.handle(.began, at: at(0))
        _ = probe(nil, at: 10)
        _ = probe("refused", at: 20)
        _ = probe("refused", at: 30)
        #expect(probe(nil, at: 40) == [.recovered])
        #expect(probe("refused", at: 50) == [.failing("refused")])
        #expect(probe("refused", at: 60) == [])
    }

    @Test mutating func unhealthyIsSaidOnce() {
        _ = clock.handle(.began, at: at(0))
        _ = probe(nil, at: 10)
        for time in [20.0, 30] { _ = probe("refused", at: time) }
        #expect(probe("refused", at: 40) == [.unhealthy("refused")])
        #expect(probe("refused", at: 50) == [])
    }

    @Test mutating func aProbeThatHangsIsGivenUpAndHasFailed() {
        _ = clock.handle(.began, at: at(0))
        _ = probe(nil, at: 10)
        #expect(clock.handle(.deadlineReached, at: at(20)) == [.begin])
        #expect(clock.nextDeadline == at(22))
        #expect(clock.handle(.deadlineReached, at: at(21)) == [])
        #expect(clock.handle(.deadlineReached, at: at(22)) == [.abandon, .failing("no answer within 2 s")])
        // Its late answer means nothing.
        #expect(clock.handle(.result(failure: nil), at: at(23)) == [])
        #expect(clock.failures == 1)
    }

    @Test mutating func aPauseSuspendsProbesAndTheResumeGivesAFreshGrace() {
        _ = clock.handle(.began, at: at(0))
        _ = probe(nil, at: 10)
        for time in [20.0, 30] { _ = probe("refused", at: time) }
        #expect(clock.handle(.deadlineReached, at: at(40)) == [.begin])
        #expect(clock.handle(.ended, at: at(41)) == [.abandon])
        #expect(clock.nextDeadline == nil)
        #expect(clock.handle(.result(failure: "refused"), at: at(42)) == [])
        _ = clock.handle(.began, at: at(1000))
        #expect(probe("refused", at: 1010) == [])
        #expect(probe("refused", at: 1029) == [])
        #expect(clock.failures == 0)
    }

    @Test mutating func aShorterIntervalHoldsAtOnce() {
        _ = clock.handle(.began, at: at(0))
        _ = clock.handle(
            .scheduleChanged(
                ProbeSchedule(interval: .seconds(1), timeout: .seconds(1), failures: 1, startGrace: .zero)), at: at(2))
        #expect(clock.nextDeadline == at(3))
    }
}
