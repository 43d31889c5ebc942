import ArgumentParser
import MonotonicTime

/// Which runtime a command speaks to.
struct ConnectionOptions: ParsableArguments {
    /// The environment variable that `--socket` overrides.
    static let socketVariable = "HOLDFAST_SOCKET"
    private static let timeouts = 0.001...86_400

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The runtime's control socket. (default: $\(socketVariable), else \(ControlClient.defaultPath))",
            valueName: "path"),
        completion: .file())
    var socket: String?

    @Option(name: .long, help: ArgumentHelp("How long to wait for an answer.", valueName: "seconds"))
    var timeout = ControlClient.defaultTimeout.inSeconds

    func validate() throws {
        guard Self.timeouts.contains(timeout) else {
            throw ValidationError("The timeout must be between 0.001 and 86400 seconds.")
        }
    }

    func connect(_ console: Console) throws(ClientError) -> ControlClient {
        try ControlClient(path: path(console), timeout: .seconds(timeout))
    }

    func path(_ console: Console) -> String {
        let fromEnvironment = console.surroundings.environment[Self.socketVariable].flatMap { $0.isEmpty ? nil : $0 }
        return socket ?? fromEnvironment ?? ControlClient.defaultPath
    }
}
