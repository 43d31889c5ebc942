import ArgumentParser
import ControlProtocol

struct FleetEventsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened on devices, and what happens.",
        discussion: """
            The newest comes last.

            EXAMPLES
              holdfast fleet events --device press-4
              holdfast fleet events --follow --json
            """)

    @Option(name: .long, help: ArgumentHelp("Only those of this device.", valueName: "name")) var device: String?
    @Option(name: .long, help: ArgumentHelp("Only those about this worker.", valueName: "name")) var worker: String?
    @Option(
        name: .long, help: ArgumentHelp("Only runtime, incident, worker, command, loss or uplink.", valueName: "kind"))
    var kind: String?
    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many of the last ones.", valueName: "count"))
    var limit = 20
    @Flag(name: .shortAndLong, help: "Go on with each new event as it comes, until interrupted.") var follow = false
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try fleet.connect(console)
        let id = try device.map { name throws(CommandError) in try FleetDevice.find(name, client).id }
        let reply = try client.get(
            "/events", ["device": id, "worker": worker, "kind": kind, "limit": "\(limit)"])
        for event in (reply["events"]?.arrayValue ?? []).reversed() {
            try show(event, event["body"] ?? .null, on: console)
        }
        guard follow else { return }
        try client.follow(kind ?? "event,incident,command", device: id) { data in
            try? show(data, data["body"] ?? .null, on: console)
        }
    }

    private func show(_ event: JSONValue, _ body: JSONValue, on console: Console) throws {
        if output.json { return try console.print(event) }
        try console.print(FleetEventLine(event: event, body: body, palette: console.palette).text)
    }
}

struct FleetIncidentsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents", abstract: "Show failures of workers on devices. The newest comes last.")

    @Option(name: .long, help: ArgumentHelp("Only those of this device.", valueName: "name")) var device: String?
    @Option(name: .long, help: ArgumentHelp("Only those of this worker.", valueName: "name")) var worker: String?
    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many of the last ones.", valueName: "count"))
    var limit = 10
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try fleet.connect(console)
        let id = try device.map { name throws(CommandError) in try FleetDevice.find(name, client).id }
        let reply = try client.get("/incidents", ["device": id, "worker": worker, "limit": "\(limit)"])
        let incidents = Array((reply["incidents"]?.arrayValue ?? []).reversed())
        if output.json { return try console.print(.array(incidents)) }
        for incident in incidents {
            try console.print(
                FleetEventLine(event: incident, body: incident["body"] ?? .null, palette: console.palette).text)
        }
    }
}
