import ControlProtocol
import Foundation
import Glibc
import LinuxSystem
import Testing

/// Holdfast's own processes and what they are kept from, in the real `holdfastd`.
@Suite(.timeLimit(.minutes(2))) struct SystemProcessTests {
    private static let counter = """
        [[worker]]
        name = "counter"
        command = ["WORKER", "numbered", "500", "1000"]
        ready = "notify"
        """

    private static func status(_ pid: Int32) throws -> [String: String] {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let pairs = text.split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1) }
        return Dictionary(
            uniqueKeysWithValues: pairs.map { (String($0[0]), $0[1].trimmingCharacters(in: .whitespaces)) })
    }

    /// The numbers of the lines in a log.
    private static func lines(in log: URL) throws -> Set<Int> {
        let text = try String(contentsOf: log, encoding: .utf8)
        return Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } })
    }

    private func lines(_ daemon: Daemon) throws -> Set<Int> {
        try Self.lines(in: daemon.directory.appending(path: "state/log/counter.log"))
    }

    @Test(arguments: ["holdfast-output", "holdfast-monitor", "holdfast-uplink"])
    func `started by hand, without a channel, it says so and ends`(name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "by-hand-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appending(path: name)
        try FileManager.default.createSymbolicLink(
            at: program, withDestinationURL: Daemon.binaries.appending(path: "holdfastd"))
        let process = Process()
        let said = Pipe()
        process.executableURL = program
        process.standardError = said
        try process.run()
        let words = try said.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 1)
        #expect(String(decoding: words, as: UTF8.self).hasPrefix("\(name): "))
    }

    /// Judges a process by what /proc says of it.
    private static func expectConfinement(of pid: Int32, named name: String = "holdfast-output") throws {
        let status = try status(pid)
        // The kernel keeps 15 letters of it.
        #expect(status["Name"] == String(name.prefix(15)))
        #expect(status["NoNewPrivs"] == "1")
        #expect(status["Seccomp"] == (SystemCallFilter.isAvailable ? "2" : "0"))
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(status[set] == "0000000000000000", "\(set)") }
        guard getuid() == 0 else { return }
        let user = try user(named: name)
        #expect(status["Uid"] == Array(repeating: "\(user.uid)", count: 4).joined(separator: "\t"))
        #expect(status["Gid"] == Array(repeating: "\(user.gid)", count: 4).joined(separator: "\t"))
        #expect(status["Groups"] == "")
        #expect(status["CapBnd"] == "0000000000000000")
    }

    private static func user(named name: String = "holdfast-output") throws -> UserAccount {
        try #require(try AccountDatabase.user(named: name) ?? AccountDatabase.user(named: "nobody"))
    }

    @Test func `holdfast-output has its own user, no capability, rules and a filter`() throws {
        let daemon = try Daemon(Self.counter)
        try daemon.await("holdfast-output", "ready")
        try Self.expectConfinement(of: daemon.pid("holdfast-output"))
        guard getuid() == 0 else { return }
        let log = daemon.directory.appending(path: "state/log").path
        #expect(try SystemCall.status(of: log).uid == Self.user().uid)
        #expect(try SystemCall.status(of: log + "/holdfast-events.log").uid == Self.user().uid)
    }

    @Test func `holdfast-monitor has its own user, no capability, rules and a filter, whoever starts it`() throws {
        let daemon = try Daemon(
            Self.counter, preservation: "pause_margin = \"off\"\ncritical_margin = \"off\"\nresume_margin = \"off\"")
        let first = try #require(try daemon.await("holdfast-monitor", "ready").pid)
        try Self.expectConfinement(of: Int32(first), named: "holdfast-monitor")
        kill(Int32(first), SIGKILL)
        let second = try #require(try daemon.await("holdfast-monitor", "ready") { $0.pid != first }.pid)
        try Self.expectConfinement(of: Int32(second), named: "holdfast-monitor")
        try daemon.replace()
        let third = try #require(try daemon.await("holdfast-monitor", "ready") { $0.pid != second }.pid)
        try Self.expectConfinement(of: Int32(third), named: "holdfast-monitor")
        #expect(try daemon.worker("counter").restarts == 0)
    }

    @Test func `what both of Holdfast's own processes lack is said once`() throws {
        let daemon = try Daemon(Self.counter, preservation: "", faults: "landlock_create_ruleset=95,seccomp=22")
        try daemon.await("holdfast-monitor", "ready")
        let warnings = try daemon.status().runtime.warnings
        #expect(warnings.count { $0.contains("has no Landlock") } == 1)
        #expect(warnings.count { $0.contains("filters no system calls") } == 1)
    }

    @Test func `a monitor that an operator has stopped is missed, and stays stopped until he wants it again`() throws {
        let daemon = try Daemon(Self.counter, preservation: "")
        try daemon.await("holdfast-monitor", "ready")
        try daemon.call(.stopWorker(name: "holdfast-monitor"))
        try daemon.await("holdfast-monitor", "stopped")
        #expect(
            try daemon.status().runtime.warnings.contains {
                $0.hasPrefix("holdfast-monitor was stopped by an operator")
            })
        let refusal = try #require(throws: VarlinkConnection.Refused.self) { try daemon.call(.metrics) }
        guard case .monitorUnavailable(let message) = RuntimeError(refusal.reply) else {
            Issue.record("refused by \(refusal)")
            return
        }
        #expect(message.contains("holdfast worker start holdfast-monitor"))
        try daemon.call(.startWorker(name: "holdfast-monitor"))
        try daemon.await("holdfast-monitor", "ready")
        #expect(try daemon.call(.metrics).error == nil)
    }

    @Test func `the next holdfast-output is confined as the first, whoever starts it`() throws {
        let daemon = try Daemon(Self.counter)
        let first = try #require(try daemon.await("holdfast-output", "ready").pid)
        kill(Int32(first), SIGKILL)
        let second = try #require(try daemon.await("holdfast-output", "ready") { $0.pid != first }.pid)
        try Self.expectConfinement(of: Int32(second))
        try daemon.replace()
        let third = try #require(try daemon.await("holdfast-output", "ready").pid)
        try Self.expectConfinement(of: Int32(third))
        let before = daemon.process.processIdentifier
        #expect(throws: VarlinkConnection.Closed.self) { try daemon.call(.upgrade(binary: nil)) }
        try daemon.awaitSocket()
        #expect(daemon.process.processIdentifier == before)
        let fourth = try #require(try daemon.await("holdfast-output", "ready").pid)
        try Self.expectConfinement(of: Int32(fourth))
        kill(Int32(fourth), SIGKILL)
        let fifth = try #require(try daemon.await("holdfast-output", "ready") { $0.pid != fourth }.pid)
        try Self.expectConfinement(of: Int32(fifth))
        #expect(try daemon.worker("counter").restarts == 0)
    }

    @Test func `what the kernel lacks is said once, and logs are kept all the same`() throws {
        let daemon = try Daemon(Self.counter, faults: "landlock_create_ruleset=95,seccomp=22")
        try daemon.await("holdfast-output", "ready")
        let warnings = try daemon.status().runtime.warnings
        #expect(warnings.count { $0.contains("has no Landlock") } == 1)
        #expect(warnings.count { $0.contains("filters no system calls") } == 1)
        let status = try Self.status(daemon.pid("holdfast-output"))
        #expect(status["Seccomp"] == "0")
        #expect(status["NoNewPrivs"] == "1")
        try daemon.output(of: "counter", upTo: "line 100")
        daemon.stop()
        #expect(try !lines(daemon).isEmpty)
    }

    @Test(.enabled(if: getuid() == 0, "needs root to run it as another user"))
    func `folders that only root may enter are no obstacle`() throws {
        let daemon = try Daemon(Self.counter, permissions: 0o700)
        let output = try daemon.await("holdfast-output", "ready")
        #expect(output.restarts == 0)
        try daemon.output(of: "counter", upTo: "line 100")
        daemon.stop()
        #expect(try !lines(daemon).isEmpty)
    }

    @Test func `a log folder that was removed is made anew, and no line is lost`() throws {
        let daemon = try Daemon(Self.counter)
        try daemon.await("holdfast-output", "ready")
        try daemon.output(of: "counter", upTo: "line 100")
        let folder = daemon.directory.appending(path: "state/log")
        // Out of the folder, and still being written to.
        let moved = daemon.directory.appending(path: "moved")
        try FileManager.default.moveItem(at: folder.appending(path: "counter.log"), to: moved)
        try FileManager.default.removeItem(at: folder)
        try daemon.await("holdfast-output", "ready") { $0.restarts == 1 }
        try daemon.output(of: "counter", upTo: "line 1000")
        let found = try Self.lines(in: moved).union(lines(daemon))
        #expect(Set(1...1000).subtracting(found) == [])
    }

    @Test func `another log folder in the configuration replaces the process and its rules`() throws {
        let daemon = try Daemon(Self.counter)
        try daemon.await("counter", "ready")
        let before = try daemon.await("holdfast-output", "ready")
        try daemon.configure(
            """
            directory = "\(daemon.directory.path)/elsewhere"
            \(Self.counter)
            """)
        try daemon.call(.reload)
        try daemon.await("holdfast-output", "ready") { $0.pid != before.pid }
        try daemon.output(of: "counter", upTo: "line 1000")
        #expect(try Self.lines(in: daemon.directory.appending(path: "elsewhere/counter.log")).contains(1000))
        #expect(try daemon.worker("counter").restarts == 0)
        // The same again changes nothing.
        let after = try daemon.worker("holdfast-output").pid
        try daemon.call(.reload)
        #expect(try daemon.worker("holdfast-output").pid == after)
    }
}
