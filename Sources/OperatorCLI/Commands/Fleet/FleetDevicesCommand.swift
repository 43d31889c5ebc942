import ArgumentParser
import ControlProtocol
import LinuxSystem

struct FleetDevicesCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List devices.",
        discussion: """
            EXAMPLES
              holdfast fleet devices --offline
              holdfast fleet devices --selector site=north,line!=3
              holdfast fleet devices --name 'press-*' --json
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("Only those whose labels match: key=value, key!=value, key, !key.", valueName: "labels"))
    var selector: String?

    @Option(name: .long, help: ArgumentHelp("Only those with this name; * and ? as in a shell.", valueName: "pattern"))
    var name: String?

    @Option(name: .long, help: ArgumentHelp("Only those that are pending, enrolled or revoked.", valueName: "state"))
    var state: String?

    @Flag(name: .long, help: "Only those that are there.")
    var online = false

    @Flag(name: .long, help: "Only those that are not there.")
    var offline = false

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many at most.", valueName: "count"))
    var limit = 1000

    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !(online && offline) else { throw ValidationError("Say --online or --offline, not both.") }
        guard limit > 0 else { throw ValidationError("The limit must be 1 at least.") }
    }

    private static let largestPage = 1000

    func perform(on console: Console) throws {
        let client = try fleet.connect(console)
        var devices: [FleetDevice] = []
        var next: String?
        repeat {
            let page = try client.get(
                "/devices",
                [
                    "selector": selector, "name": name, "state": state,
                    "online": online ? "true" : offline ? "false" : nil,
                    "limit": "\(min(limit - devices.count, Self.largestPage))", "after": next,
                ])
            devices += (page["devices"]?.arrayValue ?? []).map { FleetDevice(json: $0) }
            next = page["next"]?.stringValue
        } while next != nil && devices.count < limit
        if output.json { return try console.print(.array(devices.map(\.json))) }
        let view = FleetDevicesView(devices: devices, now: WallClock.now(), isMore: next != nil)
        try console.print(view.lines(console.palette, width: console.surroundings.columns))
    }
}
