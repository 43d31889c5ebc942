import ArgumentParser
import ControlProtocol

/// The names of the workers, for a shell that completes a command line.
enum WorkerNameCompletion {
    static let kind = CompletionKind.custom { arguments, _, _ in
        (try? CompletionClient.connect(arguments)?.status())?.workers.map(\.name) ?? []
    }
}

/// The names of the bundles, and their versions.
enum BundleCompletion {
    static let name = CompletionKind.custom { arguments, _, _ in bundles(arguments).map(\.name) }
    /// Of all bundles: which one is meant is not known where this is asked.
    static let version = CompletionKind.custom { arguments, _, _ in
        let all = bundles(arguments)
        return all.filter { arguments.contains($0.name) }.flatMap(\.known)
    }

    private static func bundles(_ arguments: [String]) -> [BundleReport] {
        (try? CompletionClient.connect(arguments)?.call(.deployments, as: DeploymentsReply.self))?.bundles ?? []
    }
}

private enum CompletionClient {
    /// A shell that waits for a hung runtime is worse than no completion.
    private static let timeout = Duration.milliseconds(300)

    static func connect(_ arguments: [String]) -> ControlClient? {
        let console = Console.ofProcess()
        let option = arguments.firstIndex(of: "--socket").map { $0 + 1 }
        let given = option.flatMap { arguments.indices.contains($0) ? arguments[$0] : nil }
        var options = ConnectionOptions()
        options.socket = given
        return try? ControlClient(path: options.path(console), timeout: timeout)
    }
}

extension BundleReport {
    /// Every version that was ever told of, each once.
    var known: [String] {
        var versions: [String] = []
        for version in [current].compactMap({ $0 }) + good + barred + [deployment?.version].compactMap({ $0 })
        where !versions.contains(version) {
            versions.append(version)
        }
        return versions
    }
}
