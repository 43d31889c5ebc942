import ArgumentParser
import ControlProtocol

/// The names of the workers, for a shell that completes a command line.
enum WorkerNameCompletion {
    /// A shell that waits for a hung runtime is worse than no completion.
    private static let timeout = Duration.milliseconds(300)

    static let kind = CompletionKind.custom { arguments, _, _ in
        let console = Console.ofProcess()
        let option = arguments.firstIndex(of: "--socket").map { $0 + 1 }
        let given = option.flatMap { arguments.indices.contains($0) ? arguments[$0] : nil }
        var options = ConnectionOptions()
        options.socket = given
        let client = try? ControlClient(path: options.path(console), timeout: timeout)
        return (try? client?.status())?.workers.map(\.name) ?? []
    }
}
