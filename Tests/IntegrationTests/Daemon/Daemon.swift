import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// The real `holdfastd` on a configuration of the test's own, in a folder of its own.
final class Daemon {
    let directory: URL
    /// The one that runs, or ran last.
    private(set) var process: RuntimeProcess
    /// What the daemon itself printed.
    var diagnostics: String { (try? String(contentsOf: directory.appending(path: "stderr"), encoding: .utf8)) ?? "" }

    static let binaries = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().standardizedFileURL
    static let misbehaving = binaries.appending(path: "misbehaving-worker").path

    var socket: String { directory.appending(path: "run/control.sock").path }
    var configuration: URL { directory.appending(path: "holdfast.toml") }

    private let command: [String]
    private let environment: [String: String]
    private let runtime: String
    private let preservation: String
    private let uplink: String
    /// Where the workers' cgroups are made.
    let cgroup: String?

    /// - Parameter configuration: all but `[runtime]`; "WORKER" stands for the misbehaving worker's path.
    /// - Parameter preservation: in that table. By default nothing is shed, and no monitor runs: how warm this machine is and what
    ///   else runs on it is no concern of other tests.
    /// - Parameter uplink: in that table. By default none runs: it is one process more to start.
    /// - Parameter faults: for `FaultInjection.installForProcess`.
    /// - Parameter environment: of the daemon, besides its `PATH`.
    /// - Parameter permissions: of the folder with everything in it.
    /// - Parameter parent: where that folder is made.
    /// - Parameter launcher: a program with its arguments that executes the command which follows.
    /// - Parameter isAwaited: whether to wait until it answers.
    /// - Parameter prepare: what is done to its folder before.
    init(
        _ configuration: String, runtime: String = "", preservation: String = "enabled = false",
        uplink: String = "enabled = false", faults: String = "", environment: [String: String] = [:],
        launcher: [String] = ["/usr/bin/env"], containment: Containment = .standard, isAwaited: Bool = true,
        permissions: Int = 0o755, parent: URL = FileManager.default.temporaryDirectory,
        prepare: (URL) throws -> Void = { _ in }
    ) throws {
        directory = parent.appending(path: "holdfast-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: permissions])
        self.runtime = runtime
        self.preservation = preservation
        self.uplink = uplink
        cgroup = try containment.makeDirectory(named: directory.lastPathComponent)
        command =
            launcher + [
                Self.binaries.appending(path: "holdfastd").path, "--config",
                directory.appending(path: "holdfast.toml").path,
            ]
        self.environment = environment.merging([
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOLDFAST_FAULTS": faults,
        ]) { $1 }
        try Self.write(configuration, runtime, preservation, uplink, in: directory, cgroup)
        try prepare(directory)
        process = try RuntimeProcess(command, environment: self.environment, log: Self.log(in: directory))
        if isAwaited { try awaitAnswer() }
    }

    deinit {
        stop()
        for pid in survivors { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
        if let cgroup { Containment.remove(cgroup) }
    }

    /// - Parameter preservation: another one than before.
    func configure(_ configuration: String, preservation: String? = nil) throws {
        try Self.write(configuration, runtime, preservation ?? self.preservation, uplink, in: directory, cgroup)
    }

    private static func write(
        _ configuration: String, _ runtime: String, _ preservation: String, _ uplink: String, in directory: URL,
        _ cgroup: String?
    ) throws {
        let text = """
            [runtime]
            name = "test"
            state_dir = "\(directory.path)/state"
            runtime_dir = "\(directory.path)/run"
            workers_cgroup = "\(cgroup ?? "off")"
            \(runtime)
            [preservation]
            \(preservation)
            [uplink]
            \(uplink)
            [output]
            journal = "off"
            \(configuration.replacing("WORKER", with: Self.misbehaving))
            """
        try text.write(to: directory.appending(path: "holdfast.toml"), atomically: true, encoding: .utf8)
    }

    private static func log(in directory: URL) -> String { directory.appending(path: "stderr").path }

    /// Asks it to stop, and waits until it has.
    func stop() {
        guard process.isRunning else { return }
        process.signal(SIGTERM)
        _ = try? process.wait()
    }

    // MARK: Surviving

    /// Kills it, and waits until it is gone. Its workers go on.
    func crash() throws {
        process.signal(SIGKILL)
        try #require(try process.wait(), "holdfastd survives SIGKILL")
    }

    /// Starts the next one.
    /// - Parameter stored: what a service manager leaves it.
    func startAgain(
        stored: [(name: String, descriptor: SharedDescriptor)] = [], isAwaited: Bool = true
    ) throws {
        try #require(!process.isRunning)
        process = try RuntimeProcess(
            command, environment: environment, log: Self.log(in: directory), stored: stored)
        if isAwaited { try awaitAnswer() }
    }

    /// Another one on the same folder, which ought not to come up.
    func makeRival() throws -> RuntimeProcess {
        try RuntimeProcess(command, environment: environment, log: Self.log(in: directory))
    }

    /// Whatever runs of its workers, `holdfast-output` included.
    var survivors: [Int32] { Processes.withEnvironment("NOTIFY_SOCKET=\(directory.path)/run/") }

    /// What runs of one worker: the programs that carry its name, forked ones included.
    func processes(of worker: String) -> [Int32] {
        Processes.withEnvironment("NOTIFY_SOCKET=\(directory.path)/run/notify/\(worker)", isWhole: true)
    }

    // MARK: Asking

    func connect() throws -> VarlinkConnection { try VarlinkConnection(to: socket) }

    @discardableResult
    func call(_ method: RuntimeMethod) throws -> VarlinkReply { try connect().call(method.call) }

    func status() throws -> StatusReport { try StatusReport(json: try call(.status).parameters.json) }

    func worker(_ name: String) throws -> WorkerReport {
        try #require(try status().workers.first { $0.name == name }, "no worker \(name)")
    }

    func pid(_ name: String) throws -> Int32 {
        Int32(try #require(try worker(name).pid, "\(name) has no process"))
    }

    func incidents(_ name: String) throws -> [IncidentReport] {
        let reply = try call(.incidents(worker: name, limit: 100))
        return try IncidentsReply(json: reply.parameters.json).incidents
    }

    /// The number of the newest event.
    func lastEvent() throws -> Int { try events().last?.sequence ?? 0 }

    func events() throws -> [EventReport] {
        let connection = try connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.events(since: 0, follow: false).call.json))
        var events: [EventReport] = []
        while let event = try EventsReply(json: try connection.receive().parameters.json).event { events.append(event) }
        return events
    }

    // MARK: Awaiting

    /// The next event that satisfies the predicate, counted from the first one ever.
    @discardableResult
    func event(
        since: Int = 0, within limit: Duration = .seconds(20), where predicate: (EventReport) throws -> Bool
    ) throws -> EventReport {
        let deadline = MonotonicClock.now() + limit
        let connection = try connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.events(since: since, follow: true).call.json))
        while true {
            let reply = try connection.receive(within: MonotonicClock.now().duration(to: deadline))
            if let event = try EventsReply(json: reply.parameters.json).event, try predicate(event) { return event }
        }
    }

    /// Waits until the worker is in the state and satisfies the predicate.
    @discardableResult
    func await(
        _ name: String, _ state: String, within limit: Duration = .seconds(20),
        where predicate: (WorkerReport) -> Bool = { _ in true }
    ) throws -> WorkerReport {
        let deadline = MonotonicClock.now() + limit
        let connection = try connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.events(since: nil, follow: true).call.json))
        while true {
            let worker = try worker(name)
            if worker.state == state, predicate(worker) { return worker }
            do {
                _ = try connection.receive(within: MonotonicClock.now().duration(to: deadline))
            } catch is VarlinkConnection.TimedOut {
                let now = try self.worker(name)
                let events = try events().suffix(10).map { "\($0)" }.joined(separator: "\n")
                Issue.record(
                    "\(name) did not become \(state) within \(limit): \(worker), \(now)\n\(diagnostics)\n\(events)")
                return worker
            }
        }
    }

    private func awaitAnswer() throws {
        try awaitSocket { try #require(self.process.isRunning, "holdfastd ended: \(self.diagnostics)") }
    }

    /// Waits until a daemon answers.
    func awaitSocket(orElse giveUp: () throws -> Void = {}) throws {
        let deadline = MonotonicClock.now() + .seconds(20)
        while MonotonicClock.now() < deadline {
            if (try? status()) != nil { return }
            try giveUp()
            // There is nothing to await before the socket is there.
            usleep(5000)
        }
        Issue.record("the control socket did not appear: \(diagnostics)")
    }
}
