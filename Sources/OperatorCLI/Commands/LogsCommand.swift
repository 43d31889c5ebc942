import ArgumentParser
import ControlProtocol

struct LogsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a worker prints.",
        discussion: """
            Control characters are shown escaped, so that a worker cannot speak to your terminal; --raw prints the \
            lines as they are, without times.

            EXAMPLES
              holdfast logs camera
              holdfast logs camera --follow --lines 0
              holdfast logs camera --raw --lines 1000 > camera.log
            """)

    @Argument(help: "The worker's name.", completion: WorkerNameCompletion.kind)
    var name: String

    @Flag(name: .shortAndLong, help: "Go on with each new line as it comes, until interrupted.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("How many of the last lines.", valueName: "count"))
    var lines = 50

    @Flag(name: .long, help: "Print the lines as the worker wrote them.")
    var raw = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard lines >= 0 else { throw ValidationError("The number of lines is not negative.") }
    }

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let method = RuntimeMethod.logs(worker: name, lines: lines, follow: follow)
        try client.stream(method, as: LogsReply.self, waitsForEver: follow) { reply in
            guard let line = reply.line else { return }
            if output.json {
                try console.print(line.json)
            } else {
                try console.print(LogLines(report: line, palette: console.palette, isRaw: raw).lines)
            }
        }
    }
}
