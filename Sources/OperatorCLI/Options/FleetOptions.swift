import ArgumentParser
import ControlProtocol
import LinuxSystem

/// How central is reached.
struct FleetOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("How long central may take for an answer, in seconds.", valueName: "seconds"))
    var timeout = 30.0

    func validate() throws {
        guard timeout > 0, timeout < 1e6 else { throw ValidationError("The timeout must be more than 0 seconds.") }
    }

    func connect(_ console: Console) throws(CommandError) -> FleetClient {
        let login = try FleetLogins(environment: console.surroundings.environment).current()
        return try FleetClient(login, timeout: .seconds(timeout))
    }
}

/// Times that a person writes: 30s, 10m, 12h, 7d.
struct TimeSpan: ExpressibleByArgument {
    let seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = argument.last, let unit = units[last], let number = Double(argument.dropLast()), number > 0,
            number < 1e9
        else { return nil }
        seconds = number * unit
    }

    var defaultValueDescription: String { DurationText.period(seconds) }
}
