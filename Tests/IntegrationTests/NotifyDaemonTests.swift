import ControlProtocol
import Foundation
import Testing

/// Daemons from the distribution that speak sd_notify, unchanged: ready only when they say so.
@Suite(.timeLimit(.minutes(2))) struct NotifyDaemonTests {
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/redis-server")))
    func `redis is ready when it says so, and comes back after a kill`() throws {
        try check(
            "redis",
            #"["/usr/bin/redis-server", "--supervised", "systemd", "--port", "0", "--unixsocket", "DIR/redis.sock"]"#)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/mosquitto")))
    func `mosquitto is ready when it says so, and comes back after a kill`() throws {
        try check("mosquitto", #"["/usr/sbin/mosquitto", "-p", "21883"]"#)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/lib/postgresql")))
    func `PostgreSQL is ready when it says so, and comes back after a kill`() throws {
        let versions = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted()
        let binaries = "/usr/lib/postgresql/\(try #require(versions.last))/bin"
        let data = FileManager.default.temporaryDirectory.appending(path: "postgres-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: data) }
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let user = getuid() == 0 ? "postgres" : NSUserName()
        try run("/bin/chown", [user, data.path])
        let initialise = "\(binaries)/initdb -D \(data.path)/db --no-sync -A trust"
        try run("/bin/su", ["-s", "/bin/sh", user, "-c", initialise])
        try check(
            "postgres",
            "[\"\(binaries)/postgres\", \"-D\", \"\(data.path)/db\", \"-k\", \"\(data.path)\", \"-h\", \"\"]",
            more: "user = \"\(user)\"\nstop_signal = \"SIGINT\"")
    }

    private func check(_ name: String, _ command: String, more: String = "") throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Workers run as nobody unless told otherwise.
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        let daemon = try Daemon(
            """
            [[worker]]
            name = "\(name)"
            command = \(command.replacing("DIR", with: folder.path))
            ready = "notify"
            \(more)
            """)
        // "ready" can only have come from READY=1; it was "running" before.
        try daemon.await(name, "ready", within: .seconds(40))
        let states = try daemon.event { $0.worker == name && $0.message == "running -> ready" }
        #expect(states.kind == "worker-changed")
        let first = try daemon.pid(name)
        kill(first, SIGKILL)
        try daemon.await(name, "ready", within: .seconds(40)) { $0.pid.map(Int32.init) != first }
        try daemon.call(.stopWorker(name: name))
        try daemon.await(name, "stopped")
    }

    private func run(_ path: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(path) \(arguments)")
    }
}
