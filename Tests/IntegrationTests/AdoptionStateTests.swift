import ControlProtocol
import Foundation
import LinuxSystem
import TestSupport
import Testing

/// Whatever has become of the record, no stranger's process is touched and no worker is there twice.
@Suite(.timeLimit(.minutes(2))) struct AdoptionStateTests {
    private static let tree = """
        [[worker]]
        name = "a"
        command = ["WORKER", "steady"]
        ready = "notify"
        [[worker]]
        name = "forker"
        command = ["WORKER", "fork-children", "2"]
        ready = "notify"
        [[worker]]
        name = "leaver"
        command = ["WORKER", "double-fork"]
        ready = "notify"
        """
    private static let names = ["a", "forker", "leaver"]

    enum Damage: String, CaseIterable {
        case missing, empty, garbage, aFolder, headerOnly, halfAnEntry, aBitFlipped, otherBoot, tooNew

        func strike(_ state: URL) throws {
            let bytes = Array(try Data(contentsOf: state))
            let newline = try #require(bytes.firstIndex(of: UInt8(ascii: "\n")))
            try FileManager.default.removeItem(at: state)
            switch self {
            case .missing: return
            case .empty: try Data().write(to: state)
            case .garbage: try Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 37) }).write(to: state)
            case .aFolder: try FileManager.default.createDirectory(at: state, withIntermediateDirectories: false)
            case .headerOnly: try Data(bytes[...newline]).write(to: state)
            case .halfAnEntry: try Data(bytes[..<(newline + 200)]).write(to: state)
            case .aBitFlipped:
                var flipped = bytes
                flipped[newline + 200] ^= 4
                try Data(flipped).write(to: state)
            case .otherBoot: try replaceHeader(of: bytes, "boot", .string("another"), state)
            case .tooNew: try replaceHeader(of: bytes, "holdfast_state", .int(99), state)
            }
        }

        private func replaceHeader(of bytes: [UInt8], _ key: String, _ value: JSONValue, _ state: URL) throws {
            var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
            var header = try #require(try JSONValue.parse(Array(lines[0].dropFirst(9))).objectValue)
            header[key] = value
            lines[0] = StateLine.text(JSONValue.object(header).serialised())
            try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: state)
        }
    }

    @Test(arguments: Damage.allCases, Containment.available)
    func `without a usable record everything is ended and started once`(
        damage: Damage, containment: Containment
    ) throws {
        let daemon = try Daemon(Self.tree, containment: containment)
        for name in Self.names { try daemon.await(name, "ready") }
        let former = daemon.survivors
        // They carry half of what a worker carries.
        let strangers = try ["HOLDFAST_INSTANCE=1-1", "NOTIFY_SOCKET=\(daemon.directory.path)/run/notify/a"].map {
            var request = SpawnRequest(executable: "/bin/sleep", arguments: ["sleep", "1000"])
            request.environment = [$0]
            return try ChildProcess.spawn(request)
        }
        defer { for stranger in strangers { try? stranger.signal(SIGKILL) } }
        try daemon.replace { try damage.strike(daemon.directory.appending(path: "run/state")) }
        for name in Self.names { try daemon.await(name, "ready") { $0.restarts == 0 } }
        for pid in former { try daemon.awaitEnd(of: pid) }
        #expect(daemon.processes(of: "a").count == 2, "and a stranger")
        #expect(daemon.processes(of: "forker").count == 3)
        #expect(daemon.processes(of: "leaver").count == 2)
        #expect(strangers.allSatisfy { $0.exit(keepingZombie: true) == nil })
        let isSaid = daemon.diagnostics.contains("the state of the runtime before this one is of no use")
        #expect(isSaid == ![.missing, .otherBoot].contains(damage), "\(daemon.diagnostics)")
        if damage == .aFolder {
            // Whose it is, nobody knows: it stays, and that is said.
            #expect(try stateWarning(daemon) != nil)
            try FileManager.default.removeItem(at: daemon.directory.appending(path: "run/state"))
            try daemon.call(.restartWorker(name: "a"))
            try daemon.await("a", "ready") { $0.pid.map(Int32.init).map(former.contains) == false }
        }
        // And it is usable again.
        #expect(try stateWarning(daemon) == nil)
        let now = try daemon.pids(Self.names)
        try daemon.replace()
        #expect(try daemon.pids(Self.names) == now)
    }

    @Test func `an old record adopts who is still there, and ends who came after it`() throws {
        let daemon = try Daemon(Self.tree)
        for name in Self.names { try daemon.await(name, "ready") }
        let before = try daemon.pids(Self.names)
        let state = daemon.directory.appending(path: "run/state")
        let old = try Data(contentsOf: state)
        kill(try #require(before["forker"]), SIGKILL)
        try daemon.await("forker", "ready") { $0.restarts == 1 }
        let newcomers = daemon.processes(of: "forker")
        #expect(newcomers.count == 3)
        try daemon.replace { try old.write(to: state) }
        try daemon.await("forker", "ready") { $0.restarts == 1 && !newcomers.contains(Int32($0.pid ?? 0)) }
        for pid in newcomers { try daemon.awaitEnd(of: pid) }
        #expect(daemon.processes(of: "forker").count == 3)
        #expect(try daemon.pid("a") == before["a"])
        #expect(try daemon.pid("leaver") == before["leaver"])
    }

    @Test(arguments: ["ready", "paused", "stopping"])
    func `a stranger who has the pid of a worker that died is neither adopted nor signalled`(state: String) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "ignore-term"]
            ready = "notify"
            stop_timeout = "2s"
            """)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        switch state {
        case "paused": try daemon.call(.pauseWorker(name: "a"))
        case "stopping": try daemon.call(.stopWorker(name: "a"))
        default: break
        }
        #expect(try daemon.worker("a").state == state)
        let output = try daemon.pid("holdfast-output")
        try daemon.crash()
        try daemon.end(pid)
        try daemon.awaitEnd(of: output)
        guard let stranger = try ReusedPid.take(pid) else {
            // Not root, or a kernel without CONFIG_CHECKPOINT_RESTORE.
            try daemon.startAgain()
            return
        }
        defer { try? stranger.signal(SIGKILL) }
        try daemon.startAgain()
        switch state {
        case "paused":
            try daemon.await("a", "held")
            try daemon.call(.resumeWorker(name: "a"))
            try daemon.await("a", "ready") { $0.pid.map(Int32.init) != pid }
        case "stopping": try daemon.await("a", "stopped")
        default: try daemon.await("a", "ready") { $0.restarts == 1 && $0.pid.map(Int32.init) != pid }
        }
        #expect(try daemon.takeover().details["alive"] == 0)
        daemon.stop()
        #expect(stranger.exit(keepingZombie: true) == nil)
        #expect(ProcessStatus(of: stranger.pid)?.state == "S")
    }

    @Test func `a full disk stops nothing, shows, and is made good by the next change`() throws {
        guard getuid() == 0 else { return }
        var mounted = ""
        defer { if !mounted.isEmpty { umount2(mounted, Int32(MNT_DETACH)) } }
        let daemon = try Daemon(Self.tree) { directory in
            let run = directory.appending(path: "run").path
            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: false)
            try #require(mount("tmpfs", run, "tmpfs", 0, "size=64k") == 0, "\(errno)")
            mounted = run
        }
        for name in Self.names { try daemon.await(name, "ready") }
        #expect(try stateWarning(daemon) == nil)
        let ballast = daemon.directory.appending(path: "run/ballast")
        let file = try SystemCall.open(ballast.path, [.writeOnly, .create], permissions: 0o600)
        while (try? SystemCall.write(file.rawValue, [UInt8](repeating: 1, count: 512)))?.value == 512 {}
        for restarts in 1...3 {
            kill(try daemon.pid("forker"), SIGKILL)
            try daemon.await("forker", "ready") { $0.restarts == restarts }
        }
        let warning = try #require(try stateWarning(daemon))
        #expect(warning.contains("No space left on device") && warning.contains("restarts workers"))
        try #require(truncate(ballast.path, 0) == 0)
        kill(try daemon.pid("leaver"), SIGKILL)
        try daemon.await("leaver", "ready") { $0.restarts == 1 }
        #expect(try stateWarning(daemon) == nil)
        let before = try daemon.pids(Self.names)
        try daemon.replace()
        #expect(try daemon.pids(Self.names) == before)
        #expect(try daemon.worker("forker").restarts == 3)
    }

    @Test func `on a disk that is full from the start it supervises as well`() throws {
        let daemon = try Daemon(Self.tree, faults: "write=28")
        for name in Self.names { try daemon.await(name, "ready") }
        #expect(try stateWarning(daemon) != nil)
        kill(try daemon.pid("a"), SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        let former = daemon.survivors
        try daemon.replace()
        for name in Self.names { try daemon.await(name, "ready") }
        for pid in former { try daemon.awaitEnd(of: pid) }
        #expect(daemon.processes(of: "forker").count == 3)
    }

    private func stateWarning(_ daemon: Daemon) throws -> String? {
        try daemon.status().runtime.warnings.first { $0.contains("the state cannot be written") }
    }
}
