import ArgumentParser
import ControlProtocol
import FleetAPI

struct FleetLoginCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Keep where central is, and what lets you in.",
        discussion: """
            'holdfast-central token create --operator NAME --role ROLE' prints a login. It is tried, and kept in \
            ~/.config/holdfast/fleet.json for you alone. With '-' it is read from standard input, so that it stays out of the \
            shell's history.
            """)

    @Argument(help: ArgumentHelp("Begins with hfl1., or '-'.", valueName: "login"))
    var login: String

    @OptionGroup var fleet: FleetOptions
    @OptionGroup var output: OutputOptions

    private static let longest = 4096

    func perform(on console: Console) throws {
        let text = login == "-" ? String(decoding: try console.readInput(Self.longest), as: UTF8.self) : login
        let parsed: OperatorLogin
        do throws(FleetError) {
            parsed = try OperatorLogin(text.filter { !$0.isWhitespace })
        } catch {
            throw CommandError(code: .usage, message: error.message)
        }
        let me = try FleetClient(parsed, timeout: .seconds(fleet.timeout)).get("/me")
        let path = try FleetLogins(environment: console.surroundings.environment).keep(parsed)
        if output.json { return try console.print(me) }
        let name = (me["name"]?.stringValue ?? "?").escapedForTerminal
        let role = (me["role"]?.stringValue ?? "?").escapedForTerminal
        try console.print("logged in to \(parsed.url.escapedForTerminal) as \(name) (\(role)); kept in \(path)")
    }
}

struct FleetLogoutCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the login. The token itself goes on working until it is revoked.")

    @OptionGroup var output: OutputOptions

    private enum Key: String { case forgotten }

    func perform(on console: Console) throws {
        let wasThere = try FleetLogins(environment: console.surroundings.environment).forget()
        if output.json { return try console.print(.object([Key.forgotten: wasThere])) }
        try console.print(wasThere ? "the login is forgotten" : "there was no login")
    }
}
