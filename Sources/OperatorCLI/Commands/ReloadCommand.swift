import ArgumentParser
import ControlProtocol

struct ReloadCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Read the configuration again, and apply what changed.",
        discussion: """
            Only workers whose process must be replaced are restarted; an invalid configuration changes nothing, and \
            its problems are listed (exit status 5).

            EXAMPLES
              holdfast check && holdfast reload
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let reply = try client.call(.reload)
        if output.json { return try console.print(reply) }
        let report = try client.decode(reply, as: ReloadReport.self)
        try console.print(ReloadView(report: report, palette: console.palette).lines)
    }
}
