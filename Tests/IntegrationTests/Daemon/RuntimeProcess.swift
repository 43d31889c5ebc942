import LinuxSystem
import MonotonicTime
import Testing

/// A `holdfastd` as the test's child.
final class RuntimeProcess {
    private let child: ChildProcess
    /// How it ended; `nil` while it runs.
    private var exit: ProcessExit?

    /// - Parameter stored: what a service manager leaves it (sd_listen_fds(3)), by name.
    init(
        _ command: [String], environment: [String: String], log: String,
        stored: [(name: String, descriptor: SharedDescriptor)] = []
    ) throws {
        var command = command
        var environment = environment
        var request = SpawnRequest(executable: command[0], arguments: command)
        if !stored.isEmpty {
            // It has to name the process that executes holdfastd in the end.
            command = ["/bin/sh", "-c", #"LISTEN_PID=$$ exec "$0" "$@""#] + command
            environment["LISTEN_FDS"] = String(stored.count)
            environment["LISTEN_FDNAMES"] = stored.map(\.name).joined(separator: ":")
            request = SpawnRequest(executable: command[0], arguments: command)
            for (index, (_, descriptor)) in stored.enumerated() {
                request.inherited.append((source: try #require(descriptor.rawValue), target: Int32(3 + index)))
            }
        }
        request.environment = environment.map { "\($0)=\($1)" }
        let file = try SystemCall.open(log, [.writeOnly, .create, .append], permissions: 0o644)
        request.output = .descriptors(output: file.rawValue, error: file.rawValue)
        child = try ChildProcess.spawn(request)
    }

    var processIdentifier: Int32 { child.pid }

    var isRunning: Bool {
        if exit == nil { exit = child.exit(keepingZombie: false) }
        return exit == nil
    }

    /// The exit status; `nil` while it runs, and when a signal ended it.
    var terminationStatus: Int32? {
        guard !isRunning, case .exited(let code) = exit else { return nil }
        return code
    }

    func signal(_ number: Int32) {
        try? child.signal(number)
    }

    /// Waits until it has ended.
    /// - Returns: whether it has in that time.
    @discardableResult
    func wait(within limit: Duration = .seconds(60)) throws -> Bool {
        guard isRunning else { return true }
        return try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: limit) && !isRunning
    }
}
