import Testing

@Suite("Delivery over everything that goes wrong")
struct SimulationTests {
    /// Few enough for every run.
    static let seeds = 0..<300

    @Test("loses nothing, repeats nothing, runs no command twice, and never spins", arguments: 0..<10)
    func survivesRandomFaults(part: Int) {
        for seed in Self.seeds where seed % 10 == part {
            var simulation = LinkSimulation(seed: UInt64(seed))
            simulation.run()
            #expect(simulation.complaints.isEmpty, "seed \(seed)")
            if !simulation.complaints.isEmpty { return }
        }
    }
}
