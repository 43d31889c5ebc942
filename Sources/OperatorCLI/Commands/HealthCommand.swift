import ArgumentParser
import ControlProtocol

struct HealthCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Show how hot and how pressed the device is, and what it does about it.",
        discussion: """
            The level and why it holds, who is paused and when the next comes back, every sensor with its forecast, \
            pressure, and the workers' probes. The exit status is 0 whenever the runtime answers.

            EXAMPLES
              holdfast health
              holdfast health --json | jq '.sensors[] | {name, value}'
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let reply = try client.call(.health)
        if output.json { return try console.print(reply) }
        let report = try client.decode(reply, as: HealthReport.self)
        let view = HealthView(report: report, palette: console.palette, width: console.surroundings.columns)
        try console.print(view.lines)
    }
}
