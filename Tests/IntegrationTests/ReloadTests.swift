import ControlProtocol
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct ReloadTests {
    @Test func `a reload touches only what changed`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "same"
            command = ["WORKER", "steady"]
            [[worker]]
            name = "changed"
            command = ["WORKER", "steady"]
            [[worker]]
            name = "adjusted"
            command = ["WORKER", "steady"]
            [[worker]]
            name = "removed"
            command = ["WORKER", "steady"]
            """)
        let names = ["same", "changed", "adjusted", "removed"]
        for name in names { try daemon.await(name, "ready") }
        let before = try Dictionary(uniqueKeysWithValues: names.map { ($0, try daemon.pid($0)) })
        try daemon.configure(
            """
            [[worker]]
            name = "new"
            command = ["WORKER", "steady"]
            [[worker]]
            name = "adjusted"
            command = ["WORKER", "steady"]
            stop_timeout = "3s"
            [[worker]]
            name = "changed"
            command = ["WORKER", "steady"]
            environment = { MODE = "fast" }
            [[worker]]
            name = "same"
            command = ["WORKER", "steady"]
            """)
        let report = try ReloadReport(json: try daemon.call(.reload).parameters.json)
        #expect(report.added == ["new"])
        #expect(report.removed == ["removed"])
        #expect(report.restarted == ["changed"])
        #expect(report.adjusted == ["adjusted"])
        #expect(report.unchanged == ["same"])
        try daemon.await("new", "ready")
        try daemon.await("changed", "ready") { $0.pid.map(Int32.init) != before["changed"] }
        #expect(try daemon.pid("same") == before["same"])
        #expect(try daemon.pid("adjusted") == before["adjusted"])
        #expect(try daemon.worker("changed").restarts == 0, "a reload is not a failure")
        #expect(try daemon.status().workers.contains { $0.name == "removed" } == false)
    }

    @Test func `a reload tells what this machine lacks, and what waits for the next start`() throws {
        let daemon = try Daemon(ControlTests.steady)
        try daemon.await("a", "ready")
        let more = "\n[[worker]]\nname = \"broken\"\ncommand = [\"/nonexistent/program\"]\n"
        let text = try String(contentsOf: daemon.configuration, encoding: .utf8)
        let runtime = text.replacing("[runtime]", with: "[runtime]\nevent_buffer = 77", maxReplacements: 1)
        try Data((runtime + more).utf8).write(to: daemon.configuration)
        let report = try ReloadReport(json: try daemon.call(.reload).parameters.json)
        #expect(report.added == ["broken"])
        #expect(report.warnings.count == 2)
        #expect(report.warnings[0].contains("/nonexistent/program"))
        #expect(report.warnings[1] == "runtime.event_buffer takes effect when holdfastd is started again")
        #expect(daemon.diagnostics.contains("/nonexistent/program"))
    }

    @Test func `an invalid file changes nothing and names every problem`() throws {
        let daemon = try Daemon(ControlTests.steady)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        try daemon.configure(
            """
            [[worker]]
            name = "a"
            comand = ["WORKER", "steady"]
            watchdog = 5
            """)
        let refused = #expect(throws: VarlinkConnection.Refused.self) { try daemon.call(.reload) }
        guard case .configurationInvalid(let problems)? = refused.flatMap({ RuntimeError($0.reply) }) else {
            Issue.record("not refused as invalid: \(String(describing: refused))")
            return
        }
        #expect(problems.count >= 2)
        #expect(problems.contains { $0.contains("comand") && $0.contains("command") })
        daemon.process.signal(SIGHUP)
        try daemon.event { $0.kind == "warning" }
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").state == "ready")
    }

    @Test func `the hang-up signal reloads`() throws {
        let daemon = try Daemon(ControlTests.steady)
        try daemon.await("a", "ready")
        try daemon.configure(ControlTests.steady + "\n[[worker]]\nname = \"b\"\ncommand = [\"WORKER\", \"steady\"]\n")
        daemon.process.signal(SIGHUP)
        try daemon.event { $0.kind == "reloaded" }
        try daemon.await("b", "ready")
    }
}
