import ArgumentParser
import ControlProtocol
import LinuxSystem

struct FleetTelemetryCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "telemetry",
        abstract: "Show a device's readings: the latest, and how they went.",
        discussion: """
            Each series is a line: the latest value, the lowest, mean and highest of the time, and a curve of it.

            EXAMPLES
              holdfast fleet telemetry press-4
              holdfast fleet telemetry press-4 --worker camera --name fps --since 24h
            """)

    @Argument(help: "The device's name or id.") var device: String
    @Option(name: .long, help: ArgumentHelp("Only readings of this worker.", valueName: "name")) var worker: String?
    @Option(name: .long, help: ArgumentHelp("Only this series.", valueName: "name")) var name: String?
    @Option(name: .long, help: ArgumentHelp("How far back: 30s, 10m, 12h, 7d.", valueName: "time"))
    var since = TimeSpan(seconds: 3600)
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions

    private static let curveWidth = 32

    func perform(on console: Console) throws {
        let client = try fleet.connect(console)
        let id = try FleetDevice.find(device, client).id
        let to = Int(WallClock.microseconds() / 1000) + 1
        let from = to - Int(since.seconds * 1000)
        let step = max(1, Int(since.seconds * 1000) / Self.curveWidth)
        let latest = try client.get("/devices/\(id)/telemetry/latest", ["worker": worker, "name": name])
        let course = try client.get(
            "/devices/\(id)/telemetry",
            ["worker": worker, "name": name, "from": "\(from)", "to": "\(to)", "step_ms": "\(step)", "limit": "100000"])
        let view = FleetTelemetryView(
            latest: latest["readings"]?.arrayValue ?? [], course: course["series"]?.arrayValue ?? [], from: from,
            to: to,
            step: step, width: Self.curveWidth)
        if output.json { return try console.print(view.json) }
        guard !view.series.isEmpty else {
            return try console.print("no readings yet; workers send them as docs/telemetry.md says")
        }
        try console.print(view.table(now: WallClock.now()).lines(console.palette, width: console.surroundings.columns))
    }
}
