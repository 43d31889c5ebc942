import SpoolSimulation
import Testing

/// One seed of each; `make simulate-spool` tries more.
@Suite(.timeLimit(.minutes(5))) struct SpoolLifeTests {
    @Test(arguments: SpoolSweep.kinds) func `whatever happens, what was synced comes out or is counted`(
        _ troubles: Set<SpoolLife.Trouble>
    ) {
        for seed: UInt64 in 0..<1 {
            let life = SpoolSweep.life(seed, troubles)
            #expect(life.faults.isEmpty, "seed \(seed), \(troubles)")
        }
    }
}
