import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// Workers that were written for ImunoEdge, unchanged, in the real daemon.
@Suite(.timeLimit(.minutes(2))) final class ImunoEdgeWorkerTests {
    private static let launcher = Daemon.binaries.appending(path: "holdfast-imunoedge").path
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "hf-imunoedge-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Started by root, workers run as nobody, who has to write here.
        chmod(folder.path, 0o777)
        try Self.worker.write(to: folder.appending(path: "worker.py"), atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Touches its heartbeat until it finds the file "mute", ends with 0 when its stop file appears. TERM leaves a trace.
    private static let worker = """
        import os, pathlib, signal, sys, time

        heartbeat = pathlib.Path(os.environ["IMUNOEDGE_HEARTBEAT_FILE"])
        stop = pathlib.Path(os.environ["IMUNOEDGE_STOP_SIGNAL"])
        mute = pathlib.Path("mute")
        signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path("terminated").touch(), sys.exit(1)))
        try:
            os.wait()
        except ChildProcessError:
            pathlib.Path("childless").touch()
        while not mute.exists() and not stop.exists():
            heartbeat.touch()
            time.sleep(0.05)
        if mute.exists():
            mute.unlink()
            while True:
                time.sleep(60)
        pathlib.Path("stopped").touch()
        """

    /// A worker whose ends measure time.
    private static let clock = """
        [[supervisor]]
        name = "time"
        max_restarts = 10000
        [[worker]]
        name = "clock"
        supervisor = "time"
        command = ["sleep", "1.2"]
        backoff_initial = "1ms"
        backoff_max = "1ms"
        """

    /// A worker "a" with the launcher, and the clock.
    private func daemon(_ command: String = #""python3", "worker.py""#, _ keys: String = "") throws -> Daemon {
        try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["\(Self.launcher)", \(command)]
            working_directory = "\(folder.path)"
            environment.TMPDIR = "\(folder.path)"
            watchdog = "1s"
            stop_plan = [{ signal = "SIGWINCH", grace = "10s" }, { signal = "SIGTERM", grace = "5s" }]
            \(keys)
            \(Self.clock)
            """)
    }

    private func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: name).path)
    }

    private func write(_ name: String) {
        _ = FileManager.default.createFile(atPath: folder.appending(path: name).path, contents: nil)
    }

    /// Waits for more than two watchdog periods.
    private func passTime(_ daemon: Daemon) throws {
        let begun = try daemon.worker("clock").restarts
        try daemon.await("clock", "ready") { $0.restarts >= begun + 2 }
    }

    /// Waits until a program of that name runs as "a", by its output: the launcher is ready before it has become that.
    private func command(of pid: Int32) -> String {
        ((try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? "").trimmingCharacters(in: .newlines)
    }

    private func helpers(of daemon: Daemon) -> [Int32] {
        Processes.withEnvironment("HOLDFAST_WORKER=a", descendingFrom: daemon.process.processIdentifier)
            .filter { command(of: $0) == "hf-imunoedge" }
    }

    @Test func `touches keep it alive, silence ends it, and it comes back`() throws {
        let daemon = try daemon()
        let pid = try #require(try daemon.await("a", "ready").pid)
        try passTime(daemon)
        #expect(try daemon.worker("a").pid == pid)
        #expect(exists("childless"), "the worker has a child that it did not start")
        write("mute")
        try daemon.await("a", "ready") { $0.restarts == 1 }
        #expect(try daemon.incidents("a").first?.exit.cause == "watchdog")
        try passTime(daemon)
        #expect(try daemon.worker("a").restarts == 1)
    }

    @Test func `a stop makes the stop file appear, and leaves nothing behind`() throws {
        let daemon = try daemon()
        try daemon.await("a", "ready")
        try passTime(daemon)
        #expect(helpers(of: daemon).count == 1)
        try daemon.call(.stopWorker(name: "a"))
        let stopped = try daemon.await("a", "stopped")
        #expect(stopped.lastExit?.code == 0)
        #expect(exists("stopped"))
        #expect(!exists("terminated"))
        #expect(Processes.withEnvironment("HOLDFAST_WORKER=a", descendingFrom: daemon.process.processIdentifier) == [])
    }

    @Test func `what an earlier run has left does not end the next one`() throws {
        for file in ["old-stop", "old-heartbeat"] { write(file) }
        let daemon = try daemon(
            #""python3", "worker.py""#,
            """
            environment.IMUNOEDGE_HEARTBEAT_FILE = "\(folder.path)/old-heartbeat"
            environment.IMUNOEDGE_STOP_SIGNAL = "\(folder.path)/old-stop"
            """)
        let pid = Int32(try #require(try daemon.await("a", "ready").pid))
        try passTime(daemon)
        #expect(try daemon.pid("a") == pid)
        #expect(!exists("stopped"))
        kill(pid, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        try passTime(daemon)
        #expect(try daemon.worker("a").restarts == 1)
    }

    @Test func `a worker without the habit lives as long as its process, which is the worker's own`() throws {
        let daemon = try daemon(#""sleep", "1000""#)
        let pid = try #require(try daemon.await("a", "ready").pid)
        try passTime(daemon)
        #expect(try daemon.worker("a").pid == pid)
        #expect(command(of: Int32(pid)) == "sleep")
        try daemon.call(.stopWorker(name: "a"))
        // The stop file is nothing to it; the launcher's grace is shortened by killing it as the plan would.
        kill(Int32(pid), SIGTERM)
        #expect(try daemon.await("a", "stopped").lastExit?.signal == "SIGTERM")
    }

    @Test(arguments: [(#""/bin/sh", "-c", "exit 7""#, 7), (#""/nonexistent/program""#, 127), (#""/etc/passwd""#, 126)])
    func `its exit status is that of the program`(command: String, code: Int) throws {
        let daemon = try daemon(command, "max_attempts = 1")
        #expect(try daemon.await("a", "failed").lastExit?.code == code)
    }

    @Test func `a pause longer than the watchdog is no hang`() throws {
        let daemon = try daemon()
        let pid = try #require(try daemon.await("a", "ready").pid)
        try daemon.call(.pauseWorker(name: "a"))
        try daemon.await("a", "paused")
        try passTime(daemon)
        try daemon.call(.resumeWorker(name: "a"))
        try daemon.await("a", "ready")
        try passTime(daemon)
        #expect(try daemon.worker("a").pid == pid)
    }

    @Test func `a worker whose helper is killed is found silent and started again with a new one`() throws {
        let daemon = try daemon()
        try daemon.await("a", "ready")
        try passTime(daemon)
        let helper = try #require(helpers(of: daemon).first)
        kill(helper, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        try passTime(daemon)
        #expect(try daemon.worker("a").restarts == 1)
        #expect(helpers(of: daemon).count == 1)
    }

    @Test func `touching without pause is worth few pings`() throws {
        let socket = try NotifySocket(path: folder.appending(path: "notify").path)
        let worker = Process()
        worker.executableURL = URL(filePath: Self.launcher)
        // A ping for at least every half second of an 8 s watchdog: a sixteenth.
        worker.environment = [
            "TMPDIR": folder.path, "NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "8000000", "PATH": "/usr/bin:/bin",
        ]
        let loop = "i=0; while [ $i -lt 50000 ]; do : > \"$IMUNOEDGE_HEARTBEAT_FILE\"; i=$((i + 1)); done"
        worker.arguments = ["/bin/sh", "-c", loop]
        let begun = MonotonicClock.now()
        try worker.run()
        worker.waitUntilExit()
        let seconds = begun.duration(to: MonotonicClock.now()) / .seconds(1)
        var pings = 0
        while let message = try socket.receive() { pings += message.fields == [.watchdogPing] ? 1 : 0 }
        #expect((1...Int(2 * seconds) + 1).contains(pings), "\(pings) in \(seconds) s")
    }

    @Test func `files that somebody else could have laid are refused`() throws {
        let user = geteuid() == 0 ? getpwnam("nobody").pointee.pw_uid : geteuid()
        let files = folder.appending(path: "holdfast-imunoedge-\(user)")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        chmod(files.path, 0o777)
        let daemon = try daemon(#""sleep", "1000""#, "max_attempts = 1")
        #expect(try daemon.await("a", "failed").lastExit?.code == 1)
        try daemon.event { $0.kind == "incident-completed" }
        let words = try daemon.incidents("a").flatMap(\.lastOutput)
        #expect(
            words.contains { $0.hasSuffix("belongs to someone else, or others may enter it: remove it") }, "\(words)")
    }

    /// What the program makes of a `.env`.
    private func imported(_ source: String, by program: String) throws -> String {
        let importer = Process()
        importer.executableURL = URL(filePath: program)
        importer.arguments = ["config", "import", source, "--user", "root"]
        let output = Pipe()
        importer.standardOutput = output
        importer.standardError = FileHandle.nullDevice
        try importer.run()
        let toml = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        importer.waitUntilExit()
        #expect(importer.terminationStatus == 0)
        return toml
    }

    @Test func `a worker is imported by a path that outlives an upgrade`() throws {
        // As installed: bin/ leads to the release that is current.
        let files = FileManager.default
        try files.createDirectory(at: folder.appending(path: "releases/1"), withIntermediateDirectories: true)
        try files.createDirectory(at: folder.appending(path: "bin"), withIntermediateDirectories: true)
        for program in ["holdfast", "holdfast-imunoedge"] {
            try files.createSymbolicLink(
                at: folder.appending(path: "releases/1/\(program)"),
                withDestinationURL: Daemon.binaries.appending(path: program))
            try files.createSymbolicLink(
                atPath: folder.appending(path: "bin/\(program)").path, withDestinationPath: "../releases/1/\(program)")
        }
        let source = folder.appending(path: ".env")
        try "IMUNOEDGE_WORKERS=a:true:true\n".write(to: source, atomically: true, encoding: .utf8)
        let toml = try imported(source.path, by: folder.appending(path: "bin/holdfast").path)
        #expect(toml.contains("command = [\"\(folder.path)/bin/holdfast-imunoedge\", \"true\"]"))
    }

    @Test func `what is imported runs`() throws {
        let source = folder.appending(path: ".env")
        try "IMUNOEDGE_WORKERS=a:python3 worker.py:true\nTMPDIR=\(folder.path)\n"
            .write(to: source, atomically: true, encoding: .utf8)
        let toml = try imported(source.path, by: Daemon.binaries.appending(path: "holdfast").path)
        let daemon = try Daemon(toml + "\n" + Self.clock)
        #expect(try daemon.await("a", "ready").isEssential)
        try passTime(daemon)
        try daemon.call(.stopWorker(name: "a"))
        #expect(try daemon.await("a", "stopped").lastExit?.code == 0)
        #expect(exists("stopped"))
    }
}
