import BundleFormat
import BundleStore
import ControlProtocol
import LinuxSystem
import MonotonicTime

/// A runtime of its own with one bundle, whose versions are made as they are needed.
final class MatrixRig {
    private let folder: String
    private let binaries: String
    private var daemon: ChildProcess?
    private var lastRelease = 0
    private var lastOrder = 0

    private static let bundle = "hello"
    private static let patience: Duration = .seconds(40)
    private static let pause: Duration = .milliseconds(5)

    private var store: String { "\(folder)/state/bundles" }
    private var socket: String { "\(folder)/run/control.sock" }

    init(in parent: String) throws {
        folder = "\(parent)/holdfast-crash-matrix-\(SystemCall.processID())"
        let program = try SystemCall.executablePath()
        binaries = String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
        try SystemCall.makeDirectory(folder, permissions: 0o755)
        try BundleFiles.write(
            "\(folder)/holdfast.toml",
            Array(
                """
                [runtime]
                name = "crash-matrix"
                state_dir = "\(folder)/state"
                runtime_dir = "\(folder)/run"
                [output]
                journal = "off"
                [preservation]
                enabled = false
                [uplink]
                enabled = false

                """.utf8))
    }

    // MARK: The runtime

    func start() throws {
        let log = try SystemCall.open("\(folder)/log", [.writeOnly, .create, .append], permissions: 0o644)
        var request = SpawnRequest(
            executable: "\(binaries)/holdfastd", arguments: ["holdfastd", "--config", "\(folder)/holdfast.toml"],
            environment: ["PATH=/usr/bin:/bin"])
        request.output = .descriptors(output: log.rawValue, error: log.rawValue)
        daemon = try ChildProcess.spawn(request)
        try wait("the runtime answers") { (try? client().status()) != nil }
    }

    private func client() throws(ClientError) -> ControlClient { try ControlClient(path: socket) }

    private func kill() {
        if let daemon { Orphans.kill(daemon.pid) }
        while daemon?.exit(keepingZombie: false) == nil { rest() }
        daemon = nil
    }

    func finish(keepsFolder: Bool) {
        if let daemon {
            try? daemon.signal(SignalNumber.terminate)
            try? wait("the runtime ends") { daemon.exit(keepingZombie: false) != nil }
        }
        if !keepsFolder { Self.remove(folder) }
    }

    private static func remove(_ path: String) {
        if (try? SystemCall.status(of: path, followingLinks: false))?.kind == .directory {
            for name in (try? SystemCall.names(inDirectory: path)) ?? [] { remove("\(path)/\(name)") }
            try? SystemCall.removeDirectory(path)
        } else {
            try? SystemCall.removeFile(path)
        }
    }

    private func rest() { SystemCall.sleep(for: Self.pause) }

    private func wait(_ what: String, until isSo: () throws -> Bool) throws {
        let deadline = MonotonicClock.now() + Self.patience
        while try !isSo() {
            guard MonotonicClock.now() < deadline else { throw BrokenPromise("never came: \(what)") }
            rest()
        }
    }

    // MARK: Versions

    /// Makes the next version and puts it into the store, as somebody who has brought it along.
    /// - Returns: VERSION@HASH.
    func publish() throws -> String {
        lastRelease += 1
        let place = "\(folder)/version"
        Self.remove(place)
        try SystemCall.makeDirectory(place)
        try SystemCall.makeDirectory("\(place)/bin")
        let manifest: JSONValue = [
            "format": 1, "name": .string(Self.bundle), "version": .string("1.\(lastRelease).0"),
            "release": lastRelease.json, "health": ["ready": "10s", "probation": "100ms"],
            "workers": [["name": "greeter", "command": ["{bundle}/bin/hello"]]],
        ]
        try BundleFiles.write("\(place)/manifest.json", manifest.serialised())
        let program = "#!/bin/sh\n# \(lastRelease)\nwhile :; do sleep 1000; done\n"
        try BundleFiles.write("\(place)/bin/hello", Array(program.utf8), permissions: 0o755)
        let file = try SystemCall.open("\(folder)/version.tar.zst", [.readWrite, .create, .truncate])
        try BundlePacker(folder: place).write(to: file.rawValue, .zstandard)
        let archive = try BundleArchive(file.rawValue, expecting: nil)
        return try withStore { try BundleStore($0).stage(archive).identifier }
    }

    /// Once nobody else works in it.
    private func withStore<Value>(_ body: (StoreFolder) throws -> Value) throws -> Value {
        var folder: StoreFolder?
        try wait("the store is free") {
            do throws(SystemError) {
                folder = try StoreFolder(store)
                return true
            } catch {
                guard error.isLockedByAnother else { throw error }
                return false
            }
        }
        guard let folder else { throw BrokenPromise("the store cannot be used") }
        return try body(folder)
    }

    func current() throws -> String {
        let store = BundleStore(inspecting: try StoreFolder(reading: store))
        return try store.current(of: Self.bundle) ?? ""
    }

    /// What is current, every byte of which is as it was packed.
    func soundCurrent() throws -> String {
        let store = BundleStore(inspecting: try StoreFolder(reading: store))
        guard let current = try store.current(of: Self.bundle) else { throw BrokenPromise("no version is current") }
        do throws(BundleError) {
            _ = try store.verifyTree(Self.bundle, current)
        } catch {
            throw BrokenPromise("what is current is not whole: \(error)")
        }
        return current
    }

    // MARK: Faults

    /// What the next keeper is to meet with.
    func plan(_ text: String) throws {
        // The one before has to be gone: it would not look.
        try withStore { _ in }
        try BundleFiles.write("\(store)/downloads/fault", Array(text.utf8))
    }

    func removePlan() throws { try? SystemCall.removeFile("\(store)/downloads/fault") }

    /// The names of the calls that the body makes the keeper make.
    func counting(_ body: () throws -> DeploymentReport) throws -> [String] {
        let path = "\(store)/downloads/calls"
        try? SystemCall.removeFile(path)
        _ = try body()
        try withStore { _ in }
        let text = (try? SystemCall.readFile(path, limit: 1 << 20)) ?? []
        try? SystemCall.removeFile(path)
        return text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Deployments

    /// Gives an order and waits for its end, whoever dies over it.
    func perform(
        _ operation: CrashMatrix.Operation, version: String?, killingRuntimeAt fatal: DeploymentReport.State? = nil
    ) throws -> DeploymentReport {
        lastOrder += 1
        let intent: DeploymentOrder.Intent = operation == .deploy ? .deploy : .rollback
        let order = DeploymentOrder(id: "order-\(lastOrder)", bundle: Self.bundle, intent, version: version)
        var end: DeploymentReport?
        var isKilled = false
        do {
            try client().stream(.deploy(order), as: DeploymentReport.self, waitsForEver: false) { report in
                if report.state.isEnd { end = report }
                guard report.state == fatal, !isKilled else { return }
                isKilled = true
                kill()
            }
        } catch let error as ClientError {
            guard isKilled else { throw BrokenPromise("the runtime has answered: \(error)") }
        }
        if isKilled { try start() }
        if let end, !isKilled { return end }
        // Whoever comes back asks how it stands.
        try wait("the deployment ends") {
            guard let bundles = try? client().call(.deployments, as: DeploymentsReply.self).bundles,
                let latest = bundles.first(where: { $0.name == Self.bundle })?.deployment, latest.state.isEnd
            else { return false }
            end = latest
            return true
        }
        guard let end else { throw BrokenPromise("the deployment has no end") }
        return end
    }

    /// The worker runs, once, from the files of this version.
    func checkWorker(of version: String) throws {
        let place = "\(store)/\(Self.bundle)/versions/\(version)/"
        var found = ""
        do {
            try wait("the worker of \(version) runs") {
                let worker = try? client().status().workers.first { $0.name == "greeter" }
                found = worker?.state ?? "not there"
                return worker?.isReady ?? false && processes().allSatisfy { $0.contains(place) }
            }
        } catch let broken as BrokenPromise {
            throw BrokenPromise("\(broken): it is \(found); \(processes().joined(separator: ", "))")
        }
        let running = processes()
        guard running.count == 1 else {
            throw BrokenPromise("\(running.count) processes of the bundle run: \(running.joined(separator: ", "))")
        }
    }

    /// The command lines of all programs of the bundle that run.
    private func processes() -> [String] {
        let names = (try? SystemCall.names(inDirectory: "/proc")) ?? []
        return names.compactMap { name in
            guard name.allSatisfy(\.isNumber),
                let bytes = try? SystemCall.readFile("/proc/\(name)/cmdline", limit: 4096)
            else { return nil }
            let line = String(decoding: bytes.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
            return line.contains("\(store)/\(Self.bundle)/versions/") ? line : nil
        }
    }
}
