import Glibc
import SeededRandom
import SpoolSimulation

// Lives of a spool on a disk that fails, from random seeds; see docs/simulation.md.
//
//     spool-simulator [--seeds N] [--from N]     tries the seeds, with every kind of trouble; exit status 1 when a promise was broken
//     spool-simulator --seed N                   tries one, and prints its lives

do {
    let seeds = try SeedRange(CommandLine.arguments.dropFirst())
    exit(SpoolSweep(first: seeds.first, count: seeds.count, isTraced: seeds.isTraced).run() ? 0 : 1)
} catch {
    print("spool-simulator: \(error.text)")
    exit(2)
}
