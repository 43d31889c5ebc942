import ArgumentParser
import ControlProtocol

struct TopCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch the workers live, with CPU, memory and temperatures.",
        discussion: """
            On a terminal it refreshes every second until q or Ctrl-C. Elsewhere, or with --once, it prints one frame, \
            and CPU is the average over each process's life. CPU, memory (resident) and threads are those of a worker's \
            main process, without its children.

            EXAMPLES
              holdfast top
              holdfast top --once --json | jq '.workers[] | {name, rss_bytes}'
            """)

    @Flag(name: .long, help: "Print one frame and end.")
    var once = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    private enum Key: String { case runtime, health, workers }

    func perform(on console: Console) throws {
        let surroundings = console.surroundings
        guard once || output.json || !surroundings.isOutputTerminal || !surroundings.isInputTerminal else {
            return try TopScreen(connection: connection, console: console).run()
        }
        let client = try connection.connect(console)
        let report = try client.status()
        let health = try client.healthIfKnown()
        var sampler = ProcessSampler()
        let rows = sampler.rows(for: report.workers)
        if output.json {
            return try console.print([
                Key.runtime.rawValue: report.runtime.json, Key.health.rawValue: health.json,
                Key.workers.rawValue: .array(rows.map(\.json)),
            ])
        }
        let view = TopView(
            runtime: report.runtime, health: health, rows: rows, palette: console.palette, width: surroundings.columns)
        try console.print(view.lines)
    }
}
