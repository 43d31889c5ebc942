import Glibc
import DeploymentSimulation

// Deployments on a device that is cut off at any instant, from random seeds; see docs/simulation.md.
//
//     deployment-simulator [--seeds N] [--from N]     tries the seeds, with every kind of trouble; exit status 1 when a promise was broken
//     deployment-simulator --seed N                   tries one, and prints its lives

var (first, count): (UInt64, UInt64) = (0, 1000)
var isTraced = false
var arguments = CommandLine.arguments.dropFirst()
while let option = arguments.popFirst() {
    guard let value = arguments.popFirst().flatMap({ UInt64($0) }) else {
        print("deployment-simulator: \(option) needs a number; there are --seeds, --from and --seed")
        exit(2)
    }
    switch option {
    case "--seeds": count = value
    case "--from": first = value
    case "--seed": (first, count, isTraced) = (value, 1, true)
    default:
        print("deployment-simulator: there is no option \(option); there are --seeds, --from and --seed")
        exit(2)
    }
}
exit(DeploymentSweep(first: first, count: count, isTraced: isTraced).run() ? 0 : 1)
