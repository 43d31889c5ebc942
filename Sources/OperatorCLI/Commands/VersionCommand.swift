import ArgumentParser
import ControlProtocol

struct VersionCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the version of this program and of the runtime.",
        discussion: """
            Without a runtime it shows its own, and the exit status is 0 all the same.

            EXAMPLES
              holdfast version
              holdfast version --json
            """)

    private enum Key: String { case version, runtime }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let runtime: RuntimeReport?
        let problem: ClientError?
        do {
            (runtime, problem) = (try connection.connect(console).status().runtime, nil)
        } catch {
            (runtime, problem) = (nil, error)
        }
        if output.json {
            return try console.print([
                Key.version.rawValue: .string(HoldfastVersion.current),
                Key.runtime.rawValue: (runtime?.version).json,
            ])
        }
        try console.print("holdfast \(HoldfastVersion.current)")
        if let runtime {
            try console.print("runtime  \(runtime.version.escapedForTerminal) (pid \(runtime.pid))")
        } else if let problem {
            try console.print("runtime  unknown: \(CommandError(problem).message)")
        }
    }
}
