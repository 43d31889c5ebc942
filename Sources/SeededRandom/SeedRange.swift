/// Which seeds a simulator is to try, from its arguments: `[--seeds N] [--from N]`, or `--seed N` for one with a trace.
package struct SeedRange: Sendable {
    package var first: UInt64 = 0
    package var count: UInt64 = 1000
    package var isTraced = false

    /// What is wrong with the arguments, in a sentence.
    package struct Misuse: Error {
        package var text: String
    }

    /// - Parameter arguments: without the program's name.
    package init(_ arguments: some Sequence<String>) throws(Misuse) {
        var arguments = Array(arguments)[...]
        while let option = arguments.popFirst() {
            guard let value = arguments.popFirst().flatMap({ UInt64($0) }) else {
                throw Misuse(text: "\(option) needs a number; there are --seeds, --from and --seed")
            }
            switch option {
            case "--seeds": count = value
            case "--from": first = value
            case "--seed": (first, count, isTraced) = (value, 1, true)
            default: throw Misuse(text: "there is no option \(option); there are --seeds, --from and --seed")
            }
        }
    }
}
