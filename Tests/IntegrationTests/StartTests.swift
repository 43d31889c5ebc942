import ControlProtocol
import Foundation
import Testing

/// How the daemon itself is started, and by whom.
@Suite(.timeLimit(.minutes(3))) struct StartTests {
    @Test func `a second daemon on the same folder says who holds it`() throws {
        let daemon = try Daemon("[[worker]]\nname = \"a\"\ncommand = [\"WORKER\", \"steady\"]")
        let second = Process()
        second.executableURL = Daemon.binaries.appending(path: "holdfastd")
        second.arguments = ["--config", daemon.configuration.path]
        let errors = Pipe()
        second.standardError = errors
        try second.run()
        let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        second.waitUntilExit()
        #expect(second.terminationStatus == 1)
        let holder = "another holdfastd (process \(daemon.process.processIdentifier)) already uses the runtime_dir "
        #expect(message.contains(holder + daemon.directory.path + "/run;"))
        #expect(daemon.diagnostics.contains("runs 1 worker;"))
        try daemon.await("a", "ready")
    }

    @Test func `without standard descriptors nothing is written into other files`() throws {
        let daemon = try Daemon(
            "[[worker]]\nname = \"a\"\ncommand = [\"WORKER\", \"steady\"]",
            launcher: ["/bin/sh", "-c", #"exec "$0" "$@" <&- >&- 2>&-"#])
        try daemon.await("a", "ready")
        let lock = try String(contentsOf: daemon.directory.appending(path: "run/lock"), encoding: .utf8)
        #expect(lock == "\(daemon.process.processIdentifier)\n")
    }

    @Test func `an override by environment holds, also after a reload, and no worker inherits it`() throws {
        let variable = "HOLDFAST_CONFIG__WORKER__A__ESSENTIAL"
        let daemon = try Daemon(
            "[[worker]]\nname = \"a\"\ncommand = [\"WORKER\", \"steady\"]\nessential = false",
            environment: [variable: "true"])
        for worker in ["a", "holdfast-output"] {
            let pid = try #require(try daemon.await(worker, "ready").pid)
            let environment = try String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
            #expect(!environment.contains("HOLDFAST_CONFIG"))
        }
        #expect(try daemon.worker("a").isEssential)
        try daemon.call(.reload)
        #expect(try daemon.worker("a").isEssential)
        try daemon.configure("[[worker]]\nname = \"b\"\ncommand = [\"WORKER\", \"steady\"]")
        let refused = #expect(throws: VarlinkConnection.Refused.self) { try daemon.call(.reload) }
        #expect(refused?.description.contains("environment: \(variable): there is no worker A") == true)
    }

    @Test func `a parent that ignores the end of its children takes no exit status away`() throws {
        let daemon = try Daemon(
            "[[worker]]\nname = \"a\"\ncommand = [\"/bin/sh\", \"-c\", \"exit 7\"]\nmax_attempts = 1",
            launcher: [
                "/usr/bin/python3", "-c",
                "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])",
            ])
        #expect(try daemon.await("a", "failed").lastExit?.code == 7)
    }
}
