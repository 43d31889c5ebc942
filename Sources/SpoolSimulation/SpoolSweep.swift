/// Lives of a spool for many seeds, each with every kind of trouble.
package struct SpoolSweep {
    package let first: UInt64
    package let count: UInt64

    /// What may go wrong together.
    package static let kinds: [Set<SpoolLife.Trouble>] = [
        [], [.stops], [.room], [.errors], [.flips], [.stops, .room], [.stops, .errors], [.stops, .flips],
        Set(SpoolLife.Trouble.allCases),
    ]
    private static let steps = 400

    private let isTraced: Bool

    package init(first: UInt64, count: UInt64, isTraced: Bool = false) {
        self.isTraced = isTraced
        self.first = first
        self.count = count
    }

    /// Prints what it finds.
    /// - Returns: whether every promise was kept.
    package func run() -> Bool {
        var (stops, broken) = (0, 0)
        for seed in first..<first + count {
            for troubles in Self.kinds {
                let life = Self.life(seed, troubles, isTraced: isTraced)
                stops += life.stops
                guard !life.faults.isEmpty else { continue }
                broken += 1
                print("seed \(seed), \(troubles.map(\.rawValue).sorted()): \(life.faults)")
            }
        }
        print("\(count) seeds, \(stops) crashes at random calls, \(broken) lives with a broken promise")
        return broken == 0
    }

    package static func life(
        _ seed: UInt64, _ troubles: Set<SpoolLife.Trouble>, isTraced: Bool = false
    ) -> SpoolLife {
        if isTraced { print("seed \(seed), \(troubles.map(\.rawValue).sorted())") }
        var life = SpoolLife(seed: seed, troubles, isTraced: isTraced)
        life.run(steps: steps)
        return life
    }
}
