import ArgumentParser
import ControlProtocol

struct FleetTokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Tokens that let devices and operators in. Takes the role admin.",
        discussion: """
            EXAMPLES
              holdfast fleet tokens create --enrol --uses 50 --ttl 24h
              holdfast fleet tokens create --operator alice --role operator
              holdfast fleet tokens revoke e-1f2a3b4c
            """,
        subcommands: [List.self, Create.self, Revoke.self], defaultSubcommand: List.self)

    struct List: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "List tokens, without their secrets.")

        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let tokens = try fleet.connect(console).get("/tokens")["tokens"]?.arrayValue ?? []
            if output.json { return try console.print(.array(tokens)) }
            guard !tokens.isEmpty else { return try console.print("there are no tokens") }
            try console.print(
                FleetTokensView(tokens: tokens).table.lines(console.palette, width: console.surroundings.columns))
        }
    }

    struct Create: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "Make a token and print it, once.")

        @Flag(name: [.customLong("enrol"), .customLong("enroll")], help: "One that lets devices in.") var enrol = false
        @Option(name: .customLong("operator"), help: ArgumentHelp("One for an operator, by name.", valueName: "name"))
        var operatorName: String?
        @Option(name: .long, help: ArgumentHelp("With --operator: viewer, operator or admin.", valueName: "role"))
        var role = "viewer"
        @Option(name: .long, help: ArgumentHelp("How long it works: 30m, 24h, 7d.", valueName: "time")) var ttl:
            TimeSpan?
        @Option(name: .long, help: ArgumentHelp("With --enrol: for how many devices.", valueName: "number")) var uses =
            1
        @Flag(name: .long, help: "With --enrol: an operator has to approve each device.") var approve = false
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case kind, name, role, uses, ttl = "ttl_s", approve = "needs_approval" }

        func validate() throws {
            guard enrol != (operatorName != nil) else {
                throw ValidationError("Say for whom: --enrol for devices, or --operator NAME.")
            }
        }

        func perform(on console: Console) throws {
            let lifetime = ttl.map { Int($0.seconds) }
            let body: JSONValue =
                if let operatorName {
                    .object([Key.kind: "operator", .name: operatorName, .role: role, .ttl: lifetime])
                } else {
                    .object([Key.kind: "enrolment", .uses: uses, .ttl: lifetime, .approve: approve])
                }
            let token = try fleet.connect(console).send("POST", "/tokens", body)
            if output.json { return try console.print(token) }
            try console.print((token["login"]?.stringValue ?? token["token"]?.stringValue ?? "").escapedForTerminal)
        }
    }

    struct Revoke: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a token back. Devices that have come by it stay.")

        @Argument(help: "As 'fleet tokens' shows it.") var id: String
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case revoked }

        func perform(on console: Console) throws {
            try fleet.connect(console).send("DELETE", "/tokens/\(FleetClient.escaped(id))")
            if output.json { return try console.print(.object([Key.revoked: id])) }
            try console.print("\(id.escapedForTerminal) is revoked")
        }
    }
}
