import ControlProtocol
import Foundation
import Testing

/// How the daemon itself is started, and by whom.
@Suite(.timeLimit(.minutes(1))) struct StartTests {
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
        #expect(message.contains("held by process \(daemon.process.processIdentifier)"))
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
