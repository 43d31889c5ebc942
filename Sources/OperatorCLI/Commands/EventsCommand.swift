import ArgumentParser
import ControlProtocol

struct EventsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened, and what happens.",
        discussion: """
            The runtime keeps the latest events and numbers them without gaps. A script that remembers the last number \
            it has seen misses none: holdfast events --follow --since NUMBER.

            EXAMPLES
              holdfast events
              holdfast events --follow --since 812 --json
            """)

    @Flag(name: .shortAndLong, help: "Go on with each new event as it comes, until interrupted.")
    var follow = false

    @Option(name: .long, help: ArgumentHelp("Only events after this one.", valueName: "number"))
    var since: Int?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard since ?? 0 >= 0 else { throw ValidationError("The number of an event is not negative.") }
    }

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        var isFirst = true
        try client.stream(.events(since: since, follow: follow), as: EventsReply.self, waitsForEver: follow) { reply in
            if isFirst, !output.json, let since, reply.firstAvailable > since &+ 1 {
                console.complain("events \(since &+ 1) to \(reply.firstAvailable - 1) are no longer kept")
            }
            isFirst = false
            guard let event = reply.event else { return }
            if output.json {
                try console.print(event.json)
            } else {
                try console.print(EventLine(event: event, palette: console.palette).text)
            }
        }
    }
}
