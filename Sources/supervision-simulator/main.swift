import Glibc
import SupervisionSimulation

// Runs random fault schedules against the supervisor tree; see docs/simulation.md.
exit(await Simulator.run(Array(CommandLine.arguments.dropFirst())))
