import ArgumentParser
import ControlProtocol

struct EventsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened, and what happens.",
        discussion: """
            The runtime keeps the latest events and numbers them. A script that remembers the last number it has seen \
            goes on there: holdfast events --follow --since NUMBER. What is no longer kept is said on standard error.

            EXAMPLES
              holdfast events
              holdfast events --follow --since 812 --json
            """)

    @Flag(name: .shortAndLong, help: "Go on with each new event as it comes, until interrupted.")
    var follow = false

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Only events after this one.", valueName: "number"))
    var since: Int?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard since ?? 0 >= 0 else { throw ValidationError("The number of an event is not negative.") }
    }

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        var next = since.map { $0 &+ 1 }
        try client.stream(.events(since: since, follow: follow), as: EventsReply.self, waitsForEver: follow) { reply in
            let first = reply.event?.sequence ?? reply.firstAvailable
            if let next, first > next {
                console.complain("events \(next) to \(first - 1) are no longer kept")
            }
            guard let event = reply.event else { return }
            next = event.sequence &+ 1
            if output.json {
                try console.print(event.json)
            } else {
                try console.print(EventLine(event: event, palette: console.palette).text)
            }
        }
    }
}
