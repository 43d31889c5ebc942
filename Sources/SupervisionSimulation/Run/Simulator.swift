/// What the executable does, apart from its exit.
package enum Simulator {
    /// Runs the command and prints what came of it; returns the exit status.
    package static func run(_ arguments: [String]) async -> Int32 {
        do {
            let command = try SimulatorCommand(arguments: arguments)
            switch command.mode {
            case .help:
                print(SimulatorCommand.usage)
                return 0
            case .trace(let seed): return trace(Schedule.generated(seed: seed), minimises: command.minimises)
            case .sweep: return await sweep(command)
            }
        } catch {
            print("supervision-simulator: \(error.message)")
            return 2
        }
    }

    private static func sweep(_ command: SimulatorCommand) async -> Int32 {
        var nextMark: UInt64 = 5_000
        let tally = await SeedSweep(command).run { tally in
            guard tally.seeds >= nextMark else { return }
            nextMark += 5_000
            print("\(tally.seeds) of \(command.seeds) seeds, \(tally.steps) events, \(tally.failures.count) failures")
        }
        for failure in tally.failures.prefix(20) {
            print("seed \(failure.seed): \(failure.violation.invariant.rawValue): \(failure.violation.explanation)")
        }
        guard let first = tally.failures.first else {
            print("\(tally.seeds) seeds, \(tally.steps) events: every invariant held")
            return 0
        }
        summarise(tally)
        print("replay: supervision-simulator --seed \(first.seed)   (or: make simulate SEED=\(first.seed))")
        if command.minimises { return trace(Schedule.generated(seed: first.seed), minimises: true) }
        return 1
    }

    private static func summarise(_ tally: SeedSweep.Tally) {
        print("\(tally.failures.count) of \(tally.seeds) seeds failed:")
        let counts = Dictionary(grouping: tally.failures) { $0.violation.invariant }
        for (invariant, failures) in counts.sorted(by: { $0.value.count > $1.value.count }) {
            print("  \(invariant.rawValue): \(failures.count)")
        }
    }

    private static func trace(_ schedule: Schedule, minimises: Bool) -> Int32 {
        var schedule = schedule
        if minimises, let violation = Simulation(schedule).run().violation {
            var minimiser = Minimiser(violation.invariant)
            schedule = minimiser.minimised(schedule)
            print("minimised to \(schedule.stimuli.count) stimuli; \(schedule.spared.count) processes made to behave")
        }
        print("seed \(schedule.seed)")
        TraceFormatter.description(schedule.tree).forEach { print($0) }
        var formatter = TraceFormatter()
        let outcome = Simulation(schedule) { observation, before in
            formatter.lines(observation, before: before).forEach { print($0) }
        }.run()
        guard let violation = outcome.violation else {
            print("\(outcome.steps) events in \(outcome.duration): every invariant held")
            return 0
        }
        print("VIOLATED \(violation.invariant.rawValue): \(violation.explanation)")
        return 1
    }
}
