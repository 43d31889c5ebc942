import ArgumentParser
import ControlProtocol
import LinuxSystem

/// The program `holdfast`.
package enum OperatorProgram {
    /// Runs the command line of this process, and exits with its status.
    package static func main() -> Never {
        let console = Console.ofProcess()
        let status = run(Array(CommandLine.arguments.dropFirst()), on: console)
        HoldfastCommand.exit(withError: ExitCode(status))
    }

    /// Runs one command line, without the program's name.
    /// - Returns: the exit status, as documented in docs/cli.md.
    static func run(_ arguments: [String], on console: Console) -> Int32 {
        // Needed before the arguments are parsed: they may be what is wrong.
        let wantsJSON = arguments.prefix { $0 != "--" }.contains("--json")
        do {
            var command = try parse(arguments)
            guard let operation = command as? any OperatorCommand else {
                try command.run()
                return 0
            }
            console.refusesColour = operation.output.noColor
            try operation.perform(on: console)
            return 0
        } catch let error as CommandError {
            return report(error, asJSON: wantsJSON, on: console)
        } catch let error as ClientError {
            return report(CommandError(error), asJSON: wantsJSON, on: console)
        } catch let error as SystemError {
            // Whoever read our output has seen enough.
            if error.isBrokenPipe { return CommandError.Code.failed.exitStatus }
            return report(CommandError(code: .failed, message: "\(error)"), asJSON: wantsJSON, on: console)
        } catch {
            return reportParserError(error, asJSON: wantsJSON, on: console)
        }
    }

    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        // Workers call it often, and the whole tree of commands takes more to set up than the rest of it.
        if arguments.first == EmitCommand._commandName, !arguments.contains(where: EmitCommand.asksForHelp) {
            return try EmitCommand.parse(Array(arguments.dropFirst()))
        }
        return try HoldfastCommand.parseAsRoot(SharedOptions.moveBehindCommand(arguments))
    }

    private static func report(_ error: CommandError, asJSON: Bool, on console: Console) -> Int32 {
        if asJSON {
            console.complain(verbatim: error.json.text)
        } else {
            console.complain(error.message)
            for detail in error.details { console.complain(verbatim: detail) }
        }
        return error.code.exitStatus
    }

    /// Requests for help and completion scripts are errors to the parser, too.
    private static func reportParserError(_ error: any Error, asJSON: Bool, on console: Console) -> Int32 {
        let text = HoldfastCommand.fullMessage(for: error)
        let status = HoldfastCommand.exitCode(for: error)
        if status == .success {
            try? console.print(text)
            return 0
        }
        let code = status == .validationFailure ? CommandError.Code.usage : .failed
        if asJSON {
            let message = HoldfastCommand.message(for: error)
            return report(CommandError(code: code, message: message), asJSON: true, on: console)
        }
        console.complain(verbatim: text)
        return code.exitStatus
    }
}
