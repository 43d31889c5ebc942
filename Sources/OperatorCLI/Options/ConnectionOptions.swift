import ArgumentParser
import ControlProtocol
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
        // An empty text is a variable of a script that was not set.
        let paths = [socket, console.surroundings.environment[Self.socketVariable]]
        return paths.compactMap { $0 }.first { !$0.isEmpty } ?? ControlClient.defaultPath
    }

    /// Makes a request that names a worker. When there is none of that name, says whether it is a supervisor's.
    func askingForWorker<Answer>(_ console: Console, _ request: () throws -> Answer) throws -> Answer {
        do {
            return try request()
        } catch let error as ClientError {
            guard case .refused(.noSuchWorker(let name)) = error else { throw error }
            let supervisors = (try? connect(console).status().supervisors) ?? []
            guard supervisors.contains(where: { $0.name == name }) else { throw error }
            let known = "\(name.escapedForTerminal) is a supervisor, not a worker"
            throw CommandError(code: .noSuchWorker, message: "\(known) (holdfast tree shows the workers below it)")
        }
    }
}
