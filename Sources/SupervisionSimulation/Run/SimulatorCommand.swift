/// What the command line of `supervision-simulator` asks for.
package struct SimulatorCommand: Sendable, Equatable {
    package enum Mode: Sendable, Equatable {
        /// Many seeds, failures only.
        case sweep
        /// One seed with its trace.
        case trace(seed: UInt64)
        case help
    }

    package var mode = Mode.sweep
    package var seeds: UInt64 = 1_000
    package var from: UInt64 = 0
    package var jobs = 1
    package var minimises = false
    /// Go on after a failure, to see how many seeds fail.
    package var keepsGoing = false

    package static let usage = """
        usage: supervision-simulator [--seeds N] [--from K] [--jobs J] [--keep-going] [--minimise]
               supervision-simulator --seed N [--minimise]

        Runs random fault schedules against the supervisor tree in virtual time and checks its invariants after
        every event. One seed fixes everything; --seed prints the trace of one.

          --seeds N      how many seeds to run (1000)
          --from K       the first seed (0)
          --jobs J       threads (1)
          --keep-going   do not stop at the first failure; each is printed when it is found
          --minimise     shrink the failing schedule first
          --seed N       run one seed and print what happens

        Exit status: 0 all invariants held, 1 one did not, 2 wrong usage.
        """

    /// Says what is wrong with the arguments, and what is allowed.
    package struct UsageError: Error, Sendable {
        package var message: String
    }

    package init(arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            switch option {
            case "--help", "-h": mode = .help
            case "--minimise": minimises = true
            case "--keep-going": keepsGoing = true
            case "--seed": mode = .trace(seed: try Self.number(of: option, &rest))
            case "--seeds": seeds = try Self.number(of: option, &rest)
            case "--from": from = try Self.number(of: option, &rest)
            case "--jobs":
                let number = try Self.number(of: option, &rest)
                guard (1...256).contains(number) else { throw UsageError(message: "--jobs: 1 to 256 are allowed") }
                jobs = Int(number)
            default: throw UsageError(message: "\(option): no such option, see --help")
            }
        }
    }

    private static func number(of option: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> UInt64 {
        guard let text = rest.popFirst() else { throw UsageError(message: "\(option): a number is missing after it") }
        guard let number = UInt64(text) else { throw UsageError(message: "\(option): \(text) is not a whole number") }
        return number
    }
}
