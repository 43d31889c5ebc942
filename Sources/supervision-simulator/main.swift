import Glibc
import SupervisionSimulation

// Runs random fault schedules against the supervisor tree; see docs/simulation.md.

let command: SimulatorCommand
do {
    command = try SimulatorCommand(arguments: Array(CommandLine.arguments.dropFirst()))
} catch {
    print("supervision-simulator: \(error.message)")
    exit(2)
}

switch command.mode {
case .help:
    print(SimulatorCommand.usage)
case .trace(let seed):
    exit(Simulator.trace(seed, minimises: command.minimises))
case .sweep:
    var sweep = SeedSweep(command)
    await withTaskGroup(of: SeedSweep.Tally.self) { group in
        for _ in 0..<command.jobs {
            if let slice = sweep.nextSlice() { group.addTask { slice.run() } }
        }
        while let tally = await group.next() {
            sweep.add(tally)
            // A sweep of an hour must show in a log what it has found so far.
            fflush(nil)
            if let slice = sweep.nextSlice() { group.addTask { slice.run() } }
        }
    }
    exit(sweep.report())
}
