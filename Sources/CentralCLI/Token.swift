import ArgumentParser
import CentralService
import CentralStore
import ControlProtocol
import FleetAPI
import Glibc

/// `holdfast-central token`
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tokens that let devices and operators in. Works on the data folder, also while central serves.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token and print it, once.",
            discussion: """
                holdfast-central token create --enrol --ttl 24h --uses 50
                holdfast-central token create --operator alice --role operator
                """)

        @OptionGroup var data: DataFolder

        @Flag(
            name: [.customLong("enrol"), .customLong("enroll")],
            help: "One that lets devices in (install.sh --enrol TOKEN).")
        var isForDevices = false

        @Option(
            help: ArgumentHelp(
                "One for the operator API, for whoever that is; as a login for 'holdfast fleet'.", valueName: "name"))
        var `operator`: String?

        @Option(help: ArgumentHelp("With --operator: viewer, operator or admin.", valueName: "role"))
        var role = "viewer"

        @Option(
            help: ArgumentHelp(
                "How long it works, such as 30m, 24h or 7d. Default: 1h with --enrol, for ever with --operator.",
                valueName: "time"))
        var ttl: String?

        @Option(help: ArgumentHelp("With --enrol: for how many devices.", valueName: "number"))
        var uses = 1

        @Flag(help: "With --enrol: an operator has to approve each device.")
        var approve = false

        @Option(help: ArgumentHelp("Central's address, when it is not that which serves.", valueName: "url"))
        var url: String?

        @Flag(help: "With --operator: print the bare bearer token, for other programs than 'holdfast fleet'.")
        var bearer = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard isForDevices != (self.operator != nil) else {
                throw ValidationError("say for whom: --enrol for devices, or --operator NAME")
            }
            guard OperatorRole(rawValue: role) != nil else {
                throw ValidationError("--role: there is no role '\(role)'; there are viewer, operator and admin")
            }
            guard uses >= 1 else { throw ValidationError("--uses: has to be 1 at least") }
            guard ttl == nil || Lifetime(ttl ?? "") != nil else {
                throw ValidationError("--ttl: '\(ttl ?? "")' is no time; write 30m, 24h or 7d")
            }
        }

        func run() async throws {
            let store = try data.store()
            let lifetime = ttl.flatMap { Lifetime($0)?.seconds }
            let tokens = TokenMaker(store: store, actor: "local")
            if let name = self.operator {
                let made = try await tokens.operatorToken(
                    name: name, role: OperatorRole(rawValue: role) ?? .viewer, lifetime: lifetime, url: url)
                return show(made)
            }
            show(
                try await tokens.enrolmentToken(
                    lifetime: lifetime ?? 3600, uses: uses, needsApproval: approve, url: url, folder: data.path))
        }

        private func show(_ token: MadeToken) {
            print(json ? token.json.text : bearer ? token.text : token.login ?? token.text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List tokens, without their secrets.")

        @OptionGroup var data: DataFolder

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let store = try data.store()
            let now = WallClock.system.now()
            let tokens = try await TokenList(store).rows(at: now)
            if json { return print(JSONValue.array(tokens.map(\.json)).text) }
            for token in tokens { print(token.line) }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a token back. Devices that have come by it stay.")

        @OptionGroup var data: DataFolder

        @Argument(help: ArgumentHelp("As 'token list' shows it.", valueName: "id"))
        var id: String

        func run() async throws {
            try await TokenMaker(store: data.store(), actor: "local").revoke(id)
        }
    }
}

/// A time such as 30m, 24h or 7d.
struct Lifetime {
    let seconds: Int64

    init?(_ text: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let last = text.last, let unit = units[last], let number = Int64(text.dropLast()), number > 0,
            number < 100_000_000
        else { return nil }
        seconds = number * unit
    }
}
