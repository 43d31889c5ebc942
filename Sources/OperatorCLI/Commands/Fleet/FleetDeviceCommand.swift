import ArgumentParser
import ControlProtocol
import LinuxSystem

struct FleetDeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "Show or change one device.",
        discussion: """
            A device is named by its name or its id.

            EXAMPLES
              holdfast fleet device press-4
              holdfast fleet device label press-4 site=north line=3
              holdfast fleet device approve press-5
            """,
        subcommands: [Show.self, Rename.self, Label.self, Approve.self, Revoke.self, Remove.self],
        defaultSubcommand: Show.self)

    struct Show: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "Show what central knows of a device.")

        @Argument(help: "Its name or id.") var device: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let device = try FleetDevice.find(device, try fleet.connect(console))
            if output.json { return try console.print(device.json) }
            try console.print(FleetDeviceView(device: device, now: WallClock.now()).lines(console.palette))
        }
    }

    struct Rename: FleetDeviceChange {
        static let configuration = CommandConfiguration(abstract: "Give a device another name at central.")

        @Argument(help: "Its name or id.") var device: String
        @Argument(help: "The new name.") var name: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case name }

        func change(_ device: FleetDevice, _ client: FleetClient) throws(CommandError) -> String {
            try client.send("PATCH", "/devices/\(device.id)", .object([Key.name: name]))
            return "is now \(name.escapedForTerminal)"
        }
    }

    struct Label: FleetDeviceChange {
        static let configuration = CommandConfiguration(
            abstract: "Set labels, or take them away with 'key-'. The device is told.")

        @Argument(help: "Its name or id.") var device: String
        @Argument(help: ArgumentHelp("key=value, or key- to take it away.", valueName: "label")) var labels: [String]
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case labels }

        func change(_ device: FleetDevice, _ client: FleetClient) throws(CommandError) -> String {
            var all = JSONObject(device.labels.map { JSONObject.Member(key: $0.key, value: .string($0.value)) })
            for label in labels {
                if let mark = label.firstIndex(of: "=") {
                    all[String(label[..<mark])] = .string(String(label[label.index(after: mark)...]))
                } else if label.hasSuffix("-") {
                    all[String(label.dropLast())] = nil
                } else {
                    throw CommandError(
                        code: .usage, message: "'\(label.escapedForTerminal)' is neither key=value nor key-")
                }
            }
            let changed = FleetDevice(
                json: try client.send("PATCH", "/devices/\(device.id)", .object([Key.labels: all])))
            return changed.labels.isEmpty ? "has no labels" : "has \(changed.labelText.escapedForTerminal)"
        }
    }

    struct Approve: FleetDeviceChange {
        static let configuration = CommandConfiguration(abstract: "Let in a device that waits for it.")

        @Argument(help: "Its name or id.") var device: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func change(_ device: FleetDevice, _ client: FleetClient) throws(CommandError) -> String {
            try client.send("POST", "/devices/\(device.id)/approve")
            return "is approved"
        }
    }

    struct Revoke: FleetDeviceChange {
        static let configuration = CommandConfiguration(
            abstract: "Take nothing more of a device. It has to enrol again with a new token.")

        @Argument(help: "Its name or id.") var device: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func change(_ device: FleetDevice, _ client: FleetClient) throws(CommandError) -> String {
            try client.send("POST", "/devices/\(device.id)/revoke")
            return "is revoked"
        }
    }

    struct Remove: FleetDeviceChange {
        static let configuration = CommandConfiguration(
            abstract: "Delete a device and all that central has of it.")

        @Argument(help: "Its name or id.") var device: String
        @Flag(name: .long, help: "Really: its telemetry, events and commands are gone.") var yes = false
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func change(_ device: FleetDevice, _ client: FleetClient) throws(CommandError) -> String {
            guard yes else {
                throw CommandError(
                    code: .usage,
                    message: "all that central has of \(device.name.escapedForTerminal) would be gone: add --yes")
            }
            try client.send("DELETE", "/devices/\(device.id)")
            return "is deleted"
        }
    }
}

/// A change of one device.
protocol FleetDeviceChange: OperatorCommand {
    var device: String { get }
    var fleet: FleetOptions { get }

    /// - Returns: what has become of the device, as the end of a sentence.
    func change(_ device: FleetDevice, _ client: FleetClient) throws(CommandError) -> String
}

private enum FleetDeviceChangeKey: String { case device, outcome }

extension FleetDeviceChange {
    func perform(on console: Console) throws {
        let client = try fleet.connect(console)
        let device = try FleetDevice.find(device, client)
        let outcome = try change(device, client)
        if output.json {
            return try console.print(
                .object([FleetDeviceChangeKey.device: device.id, .outcome: outcome] as KeyValuePairs))
        }
        try console.print("\(device.name.escapedForTerminal) (\(device.id)) \(outcome)")
    }
}
