import ArgumentParser
import ControlProtocol
import LinuxSystem

struct IncidentsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents",
        abstract: "Show each failure: its cause, the last lines, and what was done.",
        discussion: """
            The newest comes last.

            EXAMPLES
              holdfast incidents
              holdfast incidents camera --limit 1
            """)

    @Argument(help: "Only those of this worker.", completion: WorkerNameCompletion.kind)
    var name: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How many of the last ones.", valueName: "count"))
    var limit = 10

    @Flag(name: .long, help: "Print the workers' output as it is, with control characters.")
    var raw = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("The limit must be 1 at least.") }
    }

    func perform(on console: Console) throws {
        let (client, reply) = try connection.askingForWorker(console) {
            let client = try connection.connect(console)
            return (client, try client.call(.incidents(worker: name, limit: limit)))
        }
        if output.json { return try console.print(reply) }
        let incidents = try client.decode(reply, as: IncidentsReply.self).incidents
        let view = IncidentsView(
            incidents: incidents, now: WallClock.now(), palette: console.palette, isRaw: raw)
        try console.print(view.lines)
    }
}
