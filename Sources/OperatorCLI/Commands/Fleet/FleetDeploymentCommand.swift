import ArgumentParser
import ControlProtocol
import LinuxSystem

struct FleetDeploymentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deployment",
        abstract: "Bring a bundle to devices, or go back, and see what became of it.",
        discussion: """
            EXAMPLES
              holdfast fleet deployment create hello 1.1.0 --device press-4 --wait
              holdfast fleet deployment create hello 1.1.0 --selector site=north --max-parallel 5
              holdfast fleet deployment create hello --rollback --device press-4
              holdfast fleet deployment show 0197...
              holdfast fleet deployment resume 0197...
            """,
        subcommands: [
            Create.self, List.self, Show.self, FleetDeploymentPauseCommand.self, FleetDeploymentResumeCommand.self,
            FleetDeploymentCancelCommand.self,
        ])

    struct Create: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deploy a version of a bundle to devices, or have them go back.",
            discussion: """
                Devices have their turns in the order of their names. One that is away gets the bundle when it comes back, unless \
                that takes longer than --expires; it counts against --max-parallel meanwhile. A newer deployment of the same bundle takes the \
                place of this one on devices that have not begun. With --rollback a device goes back to its last good version, \
                or to the one that is named and that it has kept. With --wait the exit status is 1 when it did not succeed everywhere.
                """)

        @Argument(help: "The bundle's name.") var bundle: String
        @Argument(help: "The version, or VERSION@HASH. Not needed with --rollback.") var version: String?
        @Option(
            name: .long, help: ArgumentHelp("A device, by name or id; may be repeated.", valueName: "name"))
        var device: [String] = []
        @Option(name: .long, help: ArgumentHelp("All devices whose labels match.", valueName: "labels"))
        var selector: String?
        @Flag(name: .long, help: "Every device.")
        var all = false
        @Flag(name: .long, help: "Go back instead.")
        var rollback = false
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("How many devices are at it at once.", valueName: "count"))
        var maxParallel = 10
        @Option(
            name: .long, parsing: .unconditional,
            help: ArgumentHelp("It halts when more devices than that have failed.", valueName: "count"))
        var maxFailures = 1
        @Flag(name: .long, help: "Also where a device would refuse, such as a version that has failed on it.")
        var force = false
        @Option(
            name: .long,
            help: ArgumentHelp(
                "How long a device may take to download it: 30m, 12h. (default: the device's own limit)",
                valueName: "time"))
        var downloadWithin: TimeSpan?
        @Option(
            name: .long,
            help: ArgumentHelp("How long a device may take to begin, once its turn has come.", valueName: "time"))
        var expires = TimeSpan(seconds: 86_400)
        @Flag(name: .long, help: "Wait until it is over, and tell of each device.")
        var wait = false
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String {
            case id, kind, bundle, version, devices, selector, all, force, expires = "expires_in_s"
            case maxParallel = "max_parallel", maxFailures = "max_failures", downloadWithin = "download_within_s"
        }

        func validate() throws {
            guard [!device.isEmpty, selector != nil, all].count(where: { $0 }) == 1 else {
                throw ValidationError("Say for whom, in one way: --device, --selector or --all.")
            }
            guard rollback || version != nil else { throw ValidationError("Say which version.") }
            guard maxParallel > 0 else { throw ValidationError("--max-parallel must be 1 at least.") }
            guard maxFailures >= 0 else { throw ValidationError("--max-failures must be 0 at least.") }
        }

        func perform(on console: Console) throws {
            let client = try fleet.connect(console)
            var body: JSONObject = [
                Key.id.rawValue: .string(FleetClient.newID()), Key.bundle.rawValue: .string(bundle),
                Key.kind.rawValue: .string(rollback ? "rollback" : "deploy"), Key.version.rawValue: version.json,
                Key.maxParallel.rawValue: maxParallel.json, Key.maxFailures.rawValue: maxFailures.json,
                Key.force.rawValue: .bool(force), Key.expires.rawValue: .double(expires.seconds),
            ]
            if let downloadWithin { body[Key.downloadWithin.rawValue] = .double(downloadWithin.seconds) }
            if let selector {
                body[Key.selector.rawValue] = .string(selector)
            } else if all {
                body[Key.all.rawValue] = true
            } else {
                let ids = try device.map { name throws(CommandError) in try FleetDevice.find(name, client).id }
                body[Key.devices.rawValue] = ids.json
            }
            var deployment = try client.send("POST", "/deployments", .object(body))
            if wait {
                deployment = try follow(deployment, client, console)
            }
            if output.json {
                try console.print(deployment)
            } else {
                let view = FleetDeploymentView(deployment: deployment, now: WallClock.now())
                try console.print(view.lines(console.palette, width: console.surroundings.columns))
            }
            guard wait else { return }
            let failed = FleetDeploymentView(deployment: deployment, now: 0).failures
            guard failed > 0 else { return }
            throw CommandError(
                code: .failed,
                message: failed == 1 ? "it did not succeed on a device" : "it did not succeed on \(failed) devices")
        }

        /// Tells of each change until it is over, or stands still.
        private func follow(_ deployment: JSONValue, _ client: FleetClient, _ console: Console) throws -> JSONValue {
            guard let id = deployment["id"]?.stringValue else { return deployment }
            var progress = DeploymentProgress()
            var failure: (any Error)?
            let last = try client.watch(
                "/deployments/\(FleetClient.escaped(id))", topic: "deployment",
                isNews: { $0["body"]?["id"]?.stringValue == id }
            ) { deployment in
                do {
                    let lines = progress.lines(deployment, console.palette)
                    if !output.json { try console.print(lines) }
                } catch {
                    // Nobody reads it any more.
                    failure = error
                    return true
                }
                return FleetDeploymentView(deployment: deployment, now: 0).standsStill
            }
            if let failure { throw failure }
            return last
        }
    }

    struct List: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "List deployments, the newest first.")

        @Option(name: .long, help: ArgumentHelp("Only those of this bundle.", valueName: "name")) var bundle: String?
        @Option(name: .long, help: ArgumentHelp("Only those for this device.", valueName: "name")) var device: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Only those that are running, paused, halted, cancelled or finished.", valueName: "state"))
        var state: String?
        @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many at most.", valueName: "count"))
        var limit = 20
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let client = try fleet.connect(console)
            let id = try device.map { name throws(CommandError) in try FleetDevice.find(name, client).id }
            let reply = try client.get(
                "/deployments", ["bundle": bundle, "device": id, "state": state, "limit": "\(limit)"])
            let deployments = reply["deployments"]?.arrayValue ?? []
            if output.json { return try console.print(.array(deployments)) }
            guard !deployments.isEmpty else { return try console.print("there are no deployments") }
            try console.print(
                FleetDeploymentView.table(deployments).lines(console.palette, width: console.surroundings.columns))
        }
    }

    struct Show: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a deployment, and how it stands on each device.")

        @Argument(help: "The deployment's id.") var id: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let deployment = try fleet.connect(console).get("/deployments/\(FleetClient.escaped(id))")
            if output.json { return try console.print(deployment) }
            let view = FleetDeploymentView(deployment: deployment, now: WallClock.now())
            try console.print(view.lines(console.palette, width: console.surroundings.columns))
        }
    }
}

/// Something that is done to a deployment.
protocol FleetDeploymentAction: OperatorCommand {
    static var action: String { get }
    var id: String { get }
    var fleet: FleetOptions { get }
}

extension FleetDeploymentAction {
    func perform(on console: Console) throws {
        let path = "/deployments/\(FleetClient.escaped(id))/\(Self.action)"
        let deployment = try fleet.connect(console).send("POST", path)
        if output.json { return try console.print(deployment) }
        let view = FleetDeploymentView(deployment: deployment, now: WallClock.now())
        try console.print(view.lines(console.palette, width: console.surroundings.columns))
    }
}

struct FleetDeploymentPauseCommand: FleetDeploymentAction {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let no other device begin. Those that have begun go on.")
    static let action = "pause"

    @Argument(help: "The deployment's id.") var id: String
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions
}

struct FleetDeploymentResumeCommand: FleetDeploymentAction {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on after a pause, or after a halt: what has failed until now counts no more.")
    static let action = "resume"

    @Argument(help: "The deployment's id.") var id: String
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions
}

struct FleetDeploymentCancelCommand: FleetDeploymentAction {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End it for good. Devices that have begun go on.")
    static let action = "cancel"

    @Argument(help: "The deployment's id.") var id: String
    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions
}
