/// Runs many seeds on several threads.
package struct SeedSweep: Sendable {
    package struct Failure: Sendable {
        package var seed: UInt64
        package var violation: Violation
    }

    package struct Tally: Sendable {
        package var seeds: UInt64 = 0
        package var steps = 0
        package var failures: [Failure] = []

        fileprivate mutating func add(_ other: Tally) {
            seeds += other.seeds
            steps += other.steps
            failures += other.failures
        }
    }

    private let command: SimulatorCommand
    /// Seeds between two looks at the other threads.
    private static let sliceLength: UInt64 = 250

    package init(_ command: SimulatorCommand) {
        self.command = command
    }

    /// Calls `progress` after each slice; stops at the first failure unless told to keep going.
    package func run(progress: (Tally) -> Void) async -> Tally {
        var tally = Tally()
        var next = command.from
        let end = command.from + command.seeds
        await withTaskGroup(of: Tally.self) { group in
            for _ in 0..<command.jobs { Self.addSlice(to: &group, &next, end, command) }
            while let slice = await group.next() {
                tally.add(slice)
                progress(tally)
                if tally.failures.isEmpty || command.keepsGoing { Self.addSlice(to: &group, &next, end, command) }
            }
        }
        tally.failures.sort { $0.seed < $1.seed }
        return tally
    }

    private static func addSlice(
        to group: inout TaskGroup<Tally>, _ next: inout UInt64, _ end: UInt64, _ command: SimulatorCommand
    ) {
        guard next < end else { return }
        let slice = next..<min(end, next + sliceLength)
        next = slice.upperBound
        group.addTask { Self.run(slice, stopsAtFailure: !command.keepsGoing) }
    }

    private static func run(_ slice: Range<UInt64>, stopsAtFailure: Bool) -> Tally {
        var tally = Tally()
        for seed in slice {
            let outcome = Simulation(Schedule.generated(seed: seed)).run()
            tally.seeds += 1
            tally.steps += outcome.steps
            if let violation = outcome.violation {
                tally.failures.append(Failure(seed: seed, violation: violation))
                if stopsAtFailure { break }
            }
        }
        return tally
    }
}
