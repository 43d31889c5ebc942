import Glibc
import SeededRandom
import DeploymentSimulation

// Deployments on a device that is cut off at any instant, from random seeds; see docs/simulation.md.
//
//     deployment-simulator [--seeds N] [--from N]     tries the seeds, with every kind of trouble; exit status 1 when a promise was broken
//     deployment-simulator --seed N                   tries one, and prints its lives

do {
    let seeds = try SeedRange(CommandLine.arguments.dropFirst())
    exit(DeploymentSweep(first: seeds.first, count: seeds.count, isTraced: seeds.isTraced).run() ? 0 : 1)
} catch {
    print("deployment-simulator: \(error.text)")
    exit(2)
}
