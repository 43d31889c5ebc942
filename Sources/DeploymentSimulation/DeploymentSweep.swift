/// Lives for many seeds, each with several mixtures of trouble.
package struct DeploymentSweep {
    package let first: UInt64
    package let count: UInt64
    private let isTraced: Bool

    package static let kinds: [Set<DeploymentLife.Trouble>] =
        [[]] + DeploymentLife.Trouble.allCases.map { [$0] } + [
            [.cuts, .intents], [.cuts, .steps], [.intents, .steps], [.cuts, .disk],
            Set(DeploymentLife.Trouble.allCases),
        ]
    private static let steps = 300

    package init(first: UInt64, count: UInt64, isTraced: Bool = false) {
        (self.first, self.count, self.isTraced) = (first, count, isTraced)
    }

    /// More of them say nothing new.
    private static let mostBroken = 10

    /// Prints what it finds.
    /// - Returns: whether every promise was kept.
    package func run() -> Bool {
        var (cuts, successes, broken) = (0, 0, 0)
        var tried: UInt64 = 0
        for seed in first..<first + count where broken < Self.mostBroken {
            tried += 1
            for troubles in Self.kinds {
                let names = troubles.map(\.rawValue).sorted()
                if isTraced { print("seed \(seed), \(names)") }
                var life = DeploymentLife(seed: seed, troubles, isTraced: isTraced)
                life.run(steps: Self.steps)
                cuts += life.cuts
                successes += life.successes
                guard !life.faults.isEmpty else { continue }
                broken += 1
                print("seed \(seed), \(names): \(life.faults)")
            }
        }
        print("\(tried) seeds, \(cuts) power cuts, \(successes) successes, \(broken) lives with a broken promise")
        return broken == 0
    }
}
