import ArgumentParser
import ControlProtocol
import FleetAPI
import LinuxSystem

struct FleetCommandCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command",
        abstract: "Have devices do something, and see what became of it.",
        discussion: """
            Kinds that every device knows: \(CommandKind.allCases.map(\.rawValue).joined(separator: ", ")).

            EXAMPLES
              holdfast fleet command run press-4 worker.restart worker=camera
              holdfast fleet command run --selector site=north runtime.reload --expires 10m
              holdfast fleet command run press-4 diagnostics.collect --save press-4.json.gz
              holdfast fleet command list
              holdfast fleet command cancel 0197...
            """,
        subcommands: [Run.self, List.self, Show.self, Cancel.self])

    struct Run: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a command to one device, to those with labels, or to all.",
            discussion: """
                Waits for the outcome unless --no-wait is given. The exit status is 1 when it did not succeed everywhere. A device that is \
                away gets the command when it comes back, unless it expires before.
                """)

        @Argument(
            help: ArgumentHelp(
                "The device (unless --selector or --all), the kind, and key=value for its payload.",
                valueName: "argument"))
        var arguments: [String]

        @Option(name: .long, help: ArgumentHelp("For all devices whose labels match.", valueName: "labels"))
        var selector: String?

        @Flag(name: .long, help: "For every device.")
        var all = false

        @Option(name: .long, help: ArgumentHelp("Not begun after this time: 30s, 10m, 12h, 7d.", valueName: "time"))
        var expires = TimeSpan(seconds: 3600)

        @Flag(name: .long, help: "Do not wait for the outcome.")
        var noWait = false

        @Option(
            name: .long, help: ArgumentHelp("Where to save what the device sends along.", valueName: "file"),
            completion: .file())
        var save: String?

        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case id, kind, payload, devices, selector, all, expires = "expires_in_s" }

        func validate() throws {
            guard !(all && selector != nil) else { throw ValidationError("Say --selector or --all, not both.") }
            let needed = all || selector != nil ? 1 : 2
            guard arguments.count >= needed else {
                throw ValidationError(
                    needed == 1 ? "Say the kind of command." : "Say the device and the kind of command.")
            }
        }

        func perform(on console: Console) throws {
            let client = try fleet.connect(console)
            var rest = arguments[...]
            var body: JSONObject = [Key.id.rawValue: .string(FleetClient.newID())]
            if let selector {
                body[Key.selector.rawValue] = .string(selector)
            } else if all {
                body[Key.all.rawValue] = true
            } else {
                body[Key.devices.rawValue] = [.string(try FleetDevice.find(rest.removeFirst(), client).id)]
            }
            body[Key.kind.rawValue] = .string(rest.removeFirst())
            body[Key.payload.rawValue] = .object(try rest.reduce(into: [:]) { try Self.add($1, to: &$0) })
            body[Key.expires.rawValue] = .double(expires.seconds)
            var command = try client.send("POST", "/commands", .object(body))
            if !noWait, let id = command["id"]?.stringValue {
                command = try client.watch(
                    "/commands/\(id)", topic: "command", isNews: { $0["body"]?["id"]?.stringValue == id },
                    isDone: FleetCommandView.hasEnded)
            }
            if let save { try Self.save(command, to: save, client) }
            if output.json {
                try console.print(command)
            } else {
                try console.print(FleetCommandView(command: command).lines(console.palette))
            }
            let failed = FleetCommandView(command: command).failures
            guard failed > 0 else { return }
            throw CommandError(
                code: .failed, message: failed == 1 ? "it did not succeed" : "it did not succeed on \(failed) devices")
        }

        /// `key=value`, where the value may be JSON: numbers, lists, objects; everything else is text.
        private static func add(_ argument: String, to payload: inout JSONObject) throws(CommandError) {
            guard let mark = argument.firstIndex(of: "="), mark != argument.startIndex else {
                throw CommandError(code: .usage, message: "'\(argument.escapedForTerminal)' is not key=value")
            }
            let text = String(argument[argument.index(after: mark)...])
            payload[String(argument[..<mark])] = (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
        }

        private static func save(_ command: JSONValue, to path: String, _ client: FleetClient) throws {
            guard let id = command["id"]?.stringValue, let devices = command["devices"]?.arrayValue, devices.count == 1,
                let device = devices[0]["device"]?.stringValue, devices[0]["attachment"] == true
            else {
                throw CommandError(
                    code: .failed, message: "there is nothing to save: no single device has sent anything along")
            }
            let bytes = try client.bytes("/commands/\(id)/devices/\(device)/attachment")
            do throws(SystemError) {
                let file = try SystemCall.open(path, [.writeOnly, .create, .truncate], permissions: 0o600)
                _ = try SystemCall.write(file.rawValue, bytes)
            } catch {
                throw CommandError(code: .failed, message: "\(path) cannot be written: \(error.message)")
            }
        }
    }

    struct List: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "List commands, the newest first.")

        @Option(name: .long, help: ArgumentHelp("Only those for this device.", valueName: "name")) var device: String?
        @Option(name: .long, help: ArgumentHelp("Only those of this kind.", valueName: "kind")) var kind: String?
        @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many at most.", valueName: "count"))
        var limit = 20
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let client = try fleet.connect(console)
            let id = try device.map { name throws(CommandError) in try FleetDevice.find(name, client).id }
            let reply = try client.get("/commands", ["device": id, "kind": kind, "limit": "\(limit)"])
            let commands = reply["commands"]?.arrayValue ?? []
            if output.json { return try console.print(.array(commands)) }
            guard !commands.isEmpty else { return try console.print("there are no commands") }
            try console.print(
                FleetCommandView.table(commands).lines(console.palette, width: console.surroundings.columns))
        }
    }

    struct Show: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "Show a command, and how it stands on each device.")

        @Argument(help: "The command's id.") var id: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let command = try fleet.connect(console).get("/commands/\(FleetClient.escaped(id))")
            if output.json { return try console.print(command) }
            try console.print(FleetCommandView(command: command).lines(console.palette))
        }
    }

    struct Cancel: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a command back from the devices that do not have it yet.")

        @Argument(help: "The command's id.") var id: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let command = try fleet.connect(console).send("POST", "/commands/\(FleetClient.escaped(id))/cancel")
            if output.json { return try console.print(command) }
            try console.print(FleetCommandView(command: command).lines(console.palette))
        }
    }
}
