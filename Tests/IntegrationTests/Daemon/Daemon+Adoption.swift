import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// What tests ask of a daemon that has taken over from another.
extension Daemon {
    /// Kills it and starts the next one. In between nobody supervises.
    func replace(meanwhile: () throws -> Void = {}) throws {
        try crash()
        try meanwhile()
        try startAgain()
    }

    /// The processes of these workers; each has to be there.
    func pids(_ names: [String]) throws -> [String: Int32] {
        try Dictionary(uniqueKeysWithValues: names.map { ($0, try pid($0)) })
    }

    /// Waits until every worker is in the state.
    func awaitAll(_ state: String, within limit: Duration = .seconds(60)) throws {
        let deadline = MonotonicClock.now() + limit
        let connection = try connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.events(since: nil, follow: true).call.json))
        while try status().workers.contains(where: { $0.state != state }) {
            _ = try connection.receive(within: MonotonicClock.now().duration(to: deadline))
        }
    }

    /// What the newest daemon says of its takeover.
    func takeover() throws -> EventReport {
        var found: EventReport?
        let connection = try connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.events(since: 0, follow: false).call.json))
        while let event = try EventsReply(json: try connection.receive().parameters.json).event {
            if event.kind == "runtime-adopted" { found = event }
        }
        return try #require(found, "it took nothing over")
    }

    /// The lines in a worker's log files, without their times, oldest first.
    func logged(_ worker: String) throws -> [String] {
        let folder = directory.appending(path: "state/log")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0 == "\(worker).log" || $0.hasPrefix("\(worker).log.") }
            .sorted {
                (Int($0.split(separator: ".").last ?? "") ?? 0) > (Int($1.split(separator: ".").last ?? "") ?? 0)
            }
        return try files.flatMap { file in
            try String(contentsOf: folder.appending(path: file), encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .map { line in line.firstIndex(of: " ").map { String(line[$0...].dropFirst()) } ?? String(line) }
        }
    }

    /// Ends a process that is not the test's child, and waits until it is gone.
    func end(_ pid: Int32, by signal: Int32 = SIGKILL) throws {
        let process = try ChildProcess.adopting(pid: pid)
        try process.signal(signal)
        try #require(try SystemCall.wait(for: process.exitDescriptor, .readable, timeout: .seconds(20)))
    }

    /// Waits until a process is gone that is not the test's child.
    func awaitEnd(of pid: Int32, within limit: Duration = .seconds(20)) throws {
        // ESRCH: gone already.
        guard let process = try? ChildProcess.adopting(pid: pid) else { return }
        try #require(
            try SystemCall.wait(for: process.exitDescriptor, .readable, timeout: limit), "process \(pid) is still there"
        )
    }

    /// Lets so much time pass: until a process that takes as long has ended.
    func pass(_ time: Duration) throws {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let clock = try ChildProcess.spawn(SpawnRequest(executable: "/bin/sleep", arguments: ["sleep", "\(seconds)"]))
        try #require(try SystemCall.wait(for: clock.exitDescriptor, .readable, timeout: time + .seconds(20)))
        _ = clock.exit(keepingZombie: false)
    }
}

/// What /proc says of a process, for expectations.
func state(of pid: Int32) -> Character? { ProcessStatus(of: pid)?.state }
