import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct SpoolModelTests {
    private static let kinds: [Set<SpoolModel.Trouble>] = [
        [], [.stops], [.room], [.errors], [.flips], [.stops, .room], [.stops, .errors], [.stops, .flips],
        [.stops, .room, .errors, .flips],
    ]
    /// Of each kind: SPOOL_SEEDS=10000 for a long run.
    private static let seeds = ProcessInfo.processInfo.environment["SPOOL_SEEDS"].flatMap { UInt64($0) } ?? 25

    @Test(arguments: kinds) func `whatever happens, what was synced comes out or is counted`(
        _ troubles: Set<SpoolModel.Trouble>
    ) {
        var stops = 0
        for seed in 0..<Self.seeds {
            var model = SpoolModel(seed: seed, troubles)
            model.run(steps: 400)
            stops += model.stops
            #expect(model.faults.isEmpty, "seed \(seed), \(troubles): \(model.faults)")
            if !model.faults.isEmpty { break }
        }
        if Self.seeds > 1000 { print("\(troubles): \(Self.seeds) seeds, \(stops) stops") }
    }
}
