import ControlProtocol
import Foundation
import Testing

/// A wall clock that nobody has set yet: a device without a battery starts in 1970.
@Suite(.timeLimit(.minutes(3))) struct ClockTests {
    /// Replaces the wall clock of one process, and leaves the monotonic one (faketime(1)).
    private static let library: String? = {
        let folder = "/usr/lib"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .map { "\(folder)/\($0)/faketime/libfaketime.so.1" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }()

    @Test(.enabled(if: library != nil))
    func `in 1970 workers start and come back, and every time that is shown makes sense`() throws {
        let daemon = try Daemon(
            "[[worker]]\nname = \"a\"\ncommand = [\"WORKER\", \"steady\"]\nready = \"notify\"",
            launcher: [
                "/usr/bin/env", "TZ=UTC", "LD_PRELOAD=\(try #require(Self.library))", "FAKETIME=@1970-01-01 00:00:30",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
            ])
        try daemon.await("a", "ready")
        try daemon.await("holdfast-output", "ready")
        kill(try daemon.pid("a"), SIGKILL)
        let back = try daemon.await("a", "ready") { $0.restarts == 1 }
        #expect((0..<60).contains(try #require(back.uptime)))

        let incident = try #require(try daemon.incidents("a").first)
        #expect((30..<90).contains(incident.time))
        #expect((0..<60).contains(incident.ranFor))
        #expect((0..<20).contains(try #require(incident.recoveredAfter)))

        #expect((0..<60).contains(try daemon.status().runtime.uptime))
        let events = try lines(daemon, "events", "--json").map {
            try EventReport(json: try JSONValue.parse(Array($0.utf8)))
        }
        #expect(events.contains { $0.kind == "worker-recovered" })
        #expect(events.allSatisfy { (30..<90).contains($0.time) })
        #expect(events.map(\.sequence) == events.map(\.sequence).sorted())
        #expect(events.map(\.monotonic) == events.map(\.monotonic).sorted())

        let status = try lines(daemon, "status", "--json").joined(separator: "\n")
        #expect(try StatusReport(json: try JSONValue.parse(Array(status.utf8))).workers.count == 2)
        #expect(try lines(daemon, "status").contains { $0.contains("a ") && $0.contains("ready") })
        #expect(try lines(daemon, "incidents").contains { $0.contains("1970-01-01") })
    }

    /// What `holdfast` prints.
    private func lines(_ daemon: Daemon, _ arguments: String...) throws -> [String] {
        let process = Process()
        process.executableURL = Daemon.binaries.appending(path: "holdfast")
        process.arguments = ["--socket", daemon.socket] + arguments
        process.environment = ["TZ": "UTC"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return text.split(separator: "\n").map(String.init)
    }
}
