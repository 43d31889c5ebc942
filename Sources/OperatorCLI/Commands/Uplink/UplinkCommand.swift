import ArgumentParser
import ControlProtocol

struct UplinkCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "uplink",
        abstract: "Show how the link to central stands, and what waits to be sent.",
        discussion: """
            Before the device is enrolled everything is kept on disk, within the quotas of [uplink.events] and \
            [uplink.readings]. The exit status is 0 whenever the runtime answers.

            EXAMPLES
              holdfast uplink
              holdfast uplink --json | jq .state
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let reply = try client.call(.uplink)
        if output.json { return try console.print(reply) }
        let status = try client.decode(reply, as: UplinkStatus.self)
        let view = UplinkView(status: status, palette: console.palette, width: console.surroundings.columns)
        try console.print(view.lines)
    }
}
