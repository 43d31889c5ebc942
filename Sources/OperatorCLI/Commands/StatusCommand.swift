import ArgumentParser
import ControlProtocol

struct StatusCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how every worker fares, and when it is tried again.",
        discussion: """
            The exit status is 0 whenever the runtime answers, also when workers have failed.

            EXAMPLES
              holdfast status
              holdfast status --json | jq -r '.workers[] | select(.state == "failed").name'
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        // The reply itself, not our reading of it: a newer runtime's additions get through.
        let reply = try client.call(.status)
        if output.json { return try console.print(reply) }
        let report = try client.decode(reply, as: StatusReport.self)
        let view = StatusView(report: report, palette: console.palette, width: console.surroundings.columns)
        try console.print(view.lines)
    }
}
