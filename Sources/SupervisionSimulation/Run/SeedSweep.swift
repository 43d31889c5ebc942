/// Many seeds, in slices that can run on threads of their own.
package struct SeedSweep: Sendable {
    /// A range of seeds that one thread runs.
    package struct Slice: Sendable {
        fileprivate var seeds: Range<UInt64>
        fileprivate var stopsAtFailure: Bool

        package func run() -> Tally {
            var tally = Tally()
            for seed in seeds {
                let outcome = Simulation(Schedule.generated(seed: seed)).run()
                tally.seeds += 1
                tally.steps += outcome.steps
                guard let violation = outcome.violation else { continue }
                tally.failures.append(Failure(seed: seed, violation: violation))
                if stopsAtFailure { break }
            }
            return tally
        }
    }

    package struct Failure: Sendable {
        package var seed: UInt64
        package var violation: Violation
    }

    /// What came of some seeds.
    package struct Tally: Sendable {
        package var seeds: UInt64 = 0
        /// Events that the trees handled.
        package var steps = 0
        package var failures: [Failure] = []
    }

    package private(set) var total = Tally()
    private let command: SimulatorCommand
    private var next: UInt64
    private let end: UInt64
    private var nextMark: UInt64 = 0
    private static let sliceLength: UInt64 = 250
    private static let progressEvery: UInt64 = 5_000

    package init(_ command: SimulatorCommand) {
        self.command = command
        next = command.from
        end = command.from + command.seeds
        nextMark = Self.progressEvery
    }

    /// What to run next; nothing at the end, and after a failure unless told to keep going.
    package mutating func nextSlice() -> Slice? {
        guard next < end, total.failures.isEmpty || command.keepsGoing else { return nil }
        let slice = next..<min(end, next + Self.sliceLength)
        next = slice.upperBound
        return Slice(seeds: slice, stopsAtFailure: !command.keepsGoing)
    }

    /// Adds what a slice came to; prints its failures if the sweep goes on after them, and from time to time how far it is.
    package mutating func add(_ tally: Tally) {
        total.seeds += tally.seeds
        total.steps += tally.steps
        total.failures += tally.failures
        if command.keepsGoing { tally.failures.forEach(tell) }
        guard total.seeds >= nextMark, total.seeds < command.seeds else { return }
        nextMark += Self.progressEvery
        print("\(total.seeds) of \(command.seeds) seeds, \(total.steps) events, \(total.failures.count) failures")
    }

    /// Prints what came of all; returns the exit status.
    package func report() -> Int32 {
        let failures = total.failures.sorted { $0.seed < $1.seed }
        guard let first = failures.first else {
            print("\(total.seeds) seeds, \(total.steps) events: every invariant held")
            return 0
        }
        if !command.keepsGoing { tell(first) }
        print("\(failures.count) of \(total.seeds) seeds failed")
        if command.keepsGoing { summarise(failures) }
        print("replay: supervision-simulator --seed \(first.seed), or make simulate SEED=\(first.seed)")
        if command.minimises { _ = Simulator.trace(first.seed, minimises: true) }
        return 1
    }

    private func tell(_ failure: Failure) {
        print("seed \(failure.seed), invariant \(failure.violation)")
    }

    private func summarise(_ failures: [Failure]) {
        let counts = Dictionary(grouping: failures) { $0.violation.invariant.rawValue }
        for (invariant, failures) in counts.sorted(by: { $0.value.count > $1.value.count }) {
            print("  \(invariant): \(failures.count)")
        }
    }
}
