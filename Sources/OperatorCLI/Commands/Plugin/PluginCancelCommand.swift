import ArgumentParser
import ControlProtocol

struct PluginCancelCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End a command that a plugin carries out on this device.",
        discussion: """
            By its id, which holdfast execute says, and holdfast events shows. A plugin that stops when it is told to has \
            five seconds; any other is ended at once. The command then fails with the code cancelled.

            EXAMPLES
              holdfast plugin cancel cli-8f3a12
            """)

    @Argument(help: "The id of the command.")
    var id: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let reply = try connection.connect(console).call(.cancelExecution(id: id))
        if output.json { try console.print(reply) }
    }
}
