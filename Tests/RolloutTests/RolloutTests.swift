import Rollout
import SeededRandom
import Testing

struct RolloutTests {
    private typealias Counts = Rollout.Counts

    private func rollout(
        _ state: Rollout.State = .running, parallel: Int = 2, failures: Int = 1, forgiven: Int = 0
    ) -> Rollout {
        Rollout(limits: .init(parallel: parallel, failures: failures), state: state, forgiven: forgiven)
    }

    @Test(
        arguments: [
            (Counts(waiting: 5, underWay: 0, failed: 0), [.send(2)]),
            (Counts(waiting: 5, underWay: 1, failed: 0), [.send(1)]),
            (Counts(waiting: 5, underWay: 2, failed: 0), []),
            // A lower maximum than what is under way takes nothing back.
            (Counts(waiting: 5, underWay: 3, failed: 0), []),
            (Counts(waiting: 1, underWay: 0, failed: 1), [.send(1)]),
            (Counts(waiting: 0, underWay: 1, failed: 0), []),
        ] as [(Rollout.Counts, [Rollout.Action])])
    func `as many begin as there is room for`(counts: Rollout.Counts, actions: [Rollout.Action]) {
        var rollout = rollout()
        #expect(rollout.handle(.looked, counts) == actions)
        #expect(rollout.state == .running)
    }

    @Test func `it halts with one failure more than may be, and goes on after an operator has seen them`() {
        var rollout = rollout()
        #expect(rollout.handle(.looked, Counts(waiting: 3, underWay: 1, failed: 2)).isEmpty)
        #expect(rollout.state == .halted)
        // Another one fails meanwhile.
        #expect(rollout.handle(.looked, Counts(waiting: 3, underWay: 0, failed: 3)).isEmpty)
        #expect(rollout.handle(.resumeRequested, Counts(waiting: 3, underWay: 0, failed: 3)) == [.send(2)])
        #expect(rollout.handle(.looked, Counts(waiting: 1, underWay: 1, failed: 4)) == [.send(1)])
        #expect(rollout.handle(.looked, Counts(waiting: 1, underWay: 0, failed: 5)).isEmpty)
        #expect(rollout.state == .halted)
    }

    @Test func `who fails last halts nothing: it is over`() {
        var rollout = rollout(failures: 0)
        #expect(rollout.handle(.looked, Counts(waiting: 0, underWay: 0, failed: 3)).isEmpty)
        #expect(rollout.state == .finished)
    }

    @Test func `paused, nobody begins; who has begun may end, and so may all`() {
        var rollout = rollout()
        #expect(rollout.handle(.pauseRequested, Counts(waiting: 1, underWay: 2, failed: 0)).isEmpty)
        #expect(rollout.handle(.looked, Counts(waiting: 1, underWay: 0, failed: 0)).isEmpty)
        #expect(rollout.state == .paused)
        // Those that waited were deleted, or superseded.
        #expect(rollout.handle(.looked, Counts(waiting: 0, underWay: 0, failed: 0)).isEmpty)
        #expect(rollout.state == .finished)
    }

    @Test(arguments: Rollout.State.allCases, Rollout.Event.allCases)
    func `every event in every state: an end stays one, and a request that comes again does no harm`(
        state: Rollout.State, event: Rollout.Event
    ) {
        let counts = Counts(waiting: 4, underWay: 1, failed: 0)
        var rollout = rollout(state)
        let first = rollout.handle(event, counts)
        if state.isTerminal {
            #expect(rollout.state == state)
            #expect(first.allSatisfy { if case .refuse = $0 { true } else { false } })
        }
        let after = rollout
        let again = rollout.handle(event, counts)
        #expect(rollout == after)
        if event == .cancelRequested, !state.isTerminal {
            #expect(first == [.withdraw] && rollout.state == .cancelled)
            #expect(again.isEmpty)
        } else {
            #expect(again == first)
        }
        let mayBegin = state == .running && event != .pauseRequested || event == .resumeRequested && !state.isTerminal
        #expect(first.contains(.send(1)) == (mayBegin && event != .cancelRequested))
    }

    /// Devices that begin, end well, fail, and go away at random; operators that pause, resume and cancel.
    @Test(arguments: UInt64(1)...200)
    func `at random: never too many at once, nobody twice, none forgotten`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }
        let limits = Rollout.Limits(parallel: Int(random.next() % 4) + 1, failures: Int(random.next() % 3))
        var rollout = Rollout(limits: limits)
        let total = Int(random.next() % 30) + 1
        var counts = Counts(waiting: total, underWay: 0, failed: 0)
        var ended = 0
        var isCalm = false
        for round in 0..<2000 {
            // In the end operators let it go on, and devices only end.
            isCalm = round > 300
            var event = Rollout.Event.looked
            if !isCalm, chance(5) {
                event = chance(50) ? .pauseRequested : chance(90) ? .resumeRequested : .cancelRequested
            }
            if isCalm, !rollout.state.isTerminal, rollout.state != .running { event = .resumeRequested }
            let before = rollout
            for action in rollout.handle(event, counts) {
                switch action {
                case .send(let count):
                    #expect(count > 0 && count <= counts.waiting)
                    counts.waiting -= count
                    counts.underWay += count
                    #expect(counts.underWay <= limits.parallel)
                    #expect(counts.failed - rollout.forgiven <= limits.failures)
                case .withdraw:
                    ended += counts.waiting
                    counts.waiting = 0
                case .refuse: #expect(before.state.isTerminal)
                }
            }
            if before.state.isTerminal { #expect(rollout == before) }
            // Central is killed: what it knows is what was stored.
            if chance(10) {
                rollout = Rollout(limits: limits, state: rollout.state, forgiven: rollout.forgiven)
            }
            if counts.underWay > 0, chance(50) {
                counts.underWay -= 1
                if chance(30) { counts.failed += 1 } else { ended += 1 }
            }
            #expect(counts.waiting + counts.underWay + counts.failed + ended == total)
        }
        #expect(isCalm && rollout.state.isTerminal)
        #expect(counts.waiting == 0 && counts.underWay == 0)
    }
}
