import MonotonicTime
import Supervision
@testable import SupervisionSimulation
import Testing

@Suite struct SimulationTests {
    /// A first look; `make simulate` runs many more.
    @Test(.timeLimit(.minutes(1))) func theInvariantsHoldOverTheFirstSeeds() {
        var deadly = 0
        for seed in UInt64(0)..<200 {
            let outcome = Simulation(Schedule.generated(seed: seed)).run()
            #expect(outcome.violation == nil, "seed \(seed): \(outcome.violation?.description ?? "")")
            if outcome.deaths > 0 { deadly += 1 }
        }
        #expect(deadly * 3 > 200, "the supervisor dies in more than a third of them")
    }

    @Test func aSeedGivesTheSameTraceEachTime() {
        #expect(trace(7) == trace(7))
        #expect(trace(7) != trace(8))
    }

    @Test("deaths change nothing else in a schedule", arguments: [UInt64(1), 7, 13, 99, 4711])
    func deathsAreDrawnApart(_ seed: UInt64) {
        let without = Schedule.generated(seed: seed, withDeaths: false)
        var with = Schedule.generated(seed: seed)
        #expect(with.stimuli.count > without.stimuli.count)
        with.stimuli.removeAll { if case .death = $0.stimulus { true } else { false } }
        #expect(with.stimuli == without.stimuli)
        #expect(with.tree == without.tree)
    }

    @Test func aSparedProcessBehaves() throws {
        let seed = try #require((UInt64(0)..<50).first { !faultySpawns($0, spared: []).isEmpty })
        let faulty = faultySpawns(seed, spared: [])
        let first = try #require(faulty.first)
        #expect(!faultySpawns(seed, spared: [first]).contains(first))
    }

    @Test func minimisingKeepsAScheduleThatDoesNotFail() {
        let schedule = Schedule.generated(seed: 3)
        var minimiser = Minimiser(.convergence)
        #expect(minimiser.minimised(schedule).stimuli.count == schedule.stimuli.count)
    }

    @Test func eventsComeByDueTimeAndThenInOrder() {
        var queue = EventQueue<Int>()
        for (payload, due) in [(1, 30), (2, 10), (3, 30), (4, 20), (5, 10)] {
            queue.insert(payload, at: MonotonicInstant(nanoseconds: Int64(due)))
        }
        var order: [Int] = []
        while let entry = queue.popFirst() { order.append(entry.payload) }
        #expect(order == [2, 5, 4, 1, 3])
    }

    private func trace(_ seed: UInt64) -> [String] {
        var formatter = TraceFormatter()
        var lines: [String] = []
        _ = Simulation(Schedule.generated(seed: seed)) { lines += formatter.lines($0) }.run()
        return lines
    }

    private func faultySpawns(_ seed: UInt64, spared: Set<SpawnOrdinal>) -> [SpawnOrdinal] {
        var schedule = Schedule.generated(seed: seed)
        schedule.spared = spared
        return Simulation(schedule).run().faultySpawns
    }
}
