/// What the executable prints for a single seed.
package enum Simulator {
    /// Prints the tree, every event with what it led to, and the violation if there is one; returns the exit status.
    package static func trace(_ seed: UInt64, minimises: Bool) -> Int32 {
        var schedule = Schedule.generated(seed: seed)
        if minimises, let violation = Simulation(schedule).run().violation {
            var minimiser = Minimiser(violation.invariant)
            schedule = minimiser.minimised(schedule)
            print("minimised to \(schedule.stimuli.count) stimuli; \(schedule.spared.count) processes made to behave")
        }
        print("seed \(seed)")
        TraceFormatter.description(schedule.tree).forEach { print($0) }
        var formatter = TraceFormatter()
        let outcome = Simulation(schedule) { entry in
            formatter.lines(entry).forEach { print($0) }
        }.run()
        guard let violation = outcome.violation else {
            print("\(outcome.steps) events in \(outcome.duration): every invariant held")
            return 0
        }
        print("seed \(seed), invariant \(violation)")
        return 1
    }
}
