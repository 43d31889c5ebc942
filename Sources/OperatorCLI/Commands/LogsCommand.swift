import ArgumentParser
import ControlProtocol

struct LogsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a worker prints.",
        discussion: """
            Control characters are shown escaped, so that a worker cannot speak to your terminal; --raw prints the \
            lines as they are, without times. --follow outlasts restarts and upgrades of the runtime.

            EXAMPLES
              holdfast logs camera
              holdfast logs camera --follow --lines 0
              holdfast logs camera --raw --lines 1000 > camera.log
            """)

    @Argument(help: "The worker's name.", completion: WorkerNameCompletion.kind)
    var name: String

    @Flag(name: .shortAndLong, help: "Go on with each new line as it comes, until interrupted.")
    var follow = false

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: ArgumentHelp("How many of the last lines, 1000 at most.", valueName: "count"))
    var lines = 50

    @Flag(name: .long, help: "Print the lines as the worker wrote them.")
    var raw = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard lines >= 0 else { throw ValidationError("The number of lines is not negative.") }
    }

    func perform(on console: Console) throws {
        let print = { (line: LogLineReport) in
            if output.json {
                try console.print(line.json)
            } else {
                try console.print(LogLines(report: line, palette: console.palette, isRaw: raw).lines)
            }
        }
        try connection.askingForWorker(console) { try read(console, print) }
    }

    private func read(_ console: Console, _ print: (LogLineReport) throws -> Void) throws {
        if follow {
            let follower = LogFollower(
                path: connection.path(console), worker: name, lines: lines, patience: .seconds(connection.timeout))
            try follower.run(connect: { () throws(ClientError) in try connection.connect(console) }, print)
        } else {
            let method = RuntimeMethod.logs(worker: name, lines: lines, follow: false)
            try connection.connect(console).stream(method, as: LogsReply.self, waitsForEver: false) { reply in
                if let line = reply.line { try print(line) }
            }
        }
    }
}
