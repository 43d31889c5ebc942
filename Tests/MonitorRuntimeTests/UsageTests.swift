import ControlProtocol
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation
import TestSupport
import Testing

@testable import MonitorRuntime

/// What workers use, pressure, disks and load.
@Suite(.timeLimit(.minutes(1))) struct UsageTests {
    @Test func `the use of this very process is what the kernel says`() throws {
        let fixture = try MonitorFixture()
        try fixture.begin(workers: ["me"])
        try fixture.loop.pump("two samples") { try fixture.health().workers.first?.processorPercent != nil }
        let use = try #require(try fixture.health().workers.first)
        #expect((use.residentBytes ?? 0) > 1 << 20)
        #expect((use.threads ?? 0) >= 1)
        #expect((use.processorTime ?? 0) > 0)
    }

    @Test func `who heats most goes first among equals`() throws {
        let fixture = try MonitorFixture(proc: nil)
        let proc = fixture.directory.path + "/proc"
        try fixture.setZone(0, 50)
        for (pid, ticks) in [(11, 0), (12, 0), (13, 0)] { try writeProcess(pid, ticks, in: fixture) }
        try fixture.start(proc: proc)
        try fixture.configure()
        for (name, pid) in [("idle", 11), ("busy", 12), ("other", 13)] {
            try fixture.send(.worker(MonitorFixture.worker(name, pid: pid)))
        }
        try fixture.send(.workersComplete)
        try fixture.pumpRounds()
        #expect(
            try fixture.health().workers.map(\.residentBytes)
                == Array(repeating: 7 * MachineConstants.pageSize, count: 3))
        var ticks = 0
        func work() throws {
            ticks += 1000
            try writeProcess(12, ticks, in: fixture)
        }
        try fixture.loop.pump("it is seen") {
            try work()
            return try fixture.health().workers.contains { $0.processorPercent ?? 0 > 0 }
        }
        try fixture.setZone(0, 76)
        try fixture.loop.pump("one is shed") {
            try work()
            return !fixture.shed.isEmpty
        }
        #expect(fixture.shed.first == "busy")
    }

    /// A process's files as the kernel would write them, overwritten in place: the monitor keeps them open.
    private func writeProcess(_ pid: Int, _ ticks: Int, in fixture: MonitorFixture) throws {
        try? SystemCall.makeDirectory("\(fixture.directory.path)/proc")
        let zeros = Array(repeating: "0", count: 10).joined(separator: " ")
        let padded = String(String(ticks + 1_000_000))
        try fixture.directory.write(
            "proc/\(pid)/stat", "\(pid) (a) b (c) S \(zeros) \(padded) 5 0 0 20 0 3 0 99 0 0\n")
        try fixture.directory.write("proc/\(pid)/statm", "100 7 3 1 0 9 0\n")
    }

    @Test(
        arguments: [
            (
                "7 (w) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 99 0 0",
                ProcessTimes.Sample(ticks: 300, threads: 4)
            ),
            (
                "7 (a) S 9 (b) R 1 7 7 0 -1 0 100 0 0 0 1 2 0 0 20 0 1 0 9 0 0\n",
                ProcessTimes.Sample(ticks: 3, threads: 1)
            ),
            ("7 (w", nil), ("", nil), ("7 (w) S 1 7", nil), ("7 (w) S 1 7 7 0 -1 4 1 0 0 0 x 5 0 0 20 0 4 0", nil),
        ] as [(String, ProcessTimes.Sample?)])
    func `a process's times are found behind whatever its name is`(text: String, expected: ProcessTimes.Sample?) {
        let times = Array(text.utf8).withUnsafeBytes { ProcessTimes($0) }
        #expect(times.map { ProcessTimes.Sample(ticks: $0.ticks, threads: $0.threads) } == expected)
    }

    @Test func `a process that has gone has no use, and its successor another one`() throws {
        let fixture = try MonitorFixture()
        try fixture.configure()
        let child = try ChildProcess.spawn(SpawnRequest(executable: "/bin/cat", arguments: ["cat", "/dev/zero"]))
        try fixture.send(.worker(MonitorFixture.worker("w", pid: Int(child.pid))))
        try fixture.send(.workersComplete)
        try fixture.loop.pump("it works") { try fixture.health().workers.first?.processorPercent ?? 0 > 1 }
        try child.signal(SignalNumber.kill)
        _ = try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(5))
        _ = child.exit(keepingZombie: false)
        try fixture.loop.pump("it is gone") { try fixture.health().workers.first?.residentBytes == nil }
        try fixture.send(.worker(MonitorFixture.worker("w", instance: 2)))
        try fixture.send(.workersComplete)
        try fixture.loop.pump("the next one") { try fixture.health().workers.first?.residentBytes != nil }
    }

    @Test func `a thousand workers are told of in parts, and shed at once`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        // What is longest in JSON within JSON.
        let names = (0..<1000).map { "worker-\($0)-ü" + String(repeating: "\"", count: 100) }
        try fixture.begin(workers: names)
        let health = try fixture.health()
        #expect(health.workers.map(\.name) == names)
        #expect(
            try fixture.ask(.metrics).split(separator: "\n").count { $0.hasPrefix("holdfast_worker_state{") } == 1000)
        #expect(fixture.largestPacket <= 64 * 1024)
        try fixture.setZone(0, 95)
        try fixture.loop.pump("all are shed") { fixture.shed.count == 1000 }
        #expect(fixture.shed == names)
        #expect(!fixture.isHopeless)
    }

    // MARK: Pressure, disks, load

    private func policy(_ quantity: Quantity, shed: Double, leave: Double) -> PreservationPolicy {
        var policy = MonitorFixture.policy
        policy.quantities = [
            quantity: LadderPolicy([.shed: Threshold(enter: shed, leave: leave)], dwell: .milliseconds(100))
        ]
        return policy
    }

    private func writePressure(_ fixture: MonitorFixture, average: String, total: Int) throws {
        try? SystemCall.makeDirectory("\(fixture.directory.path)/proc")
        try fixture.directory.write(
            "proc/pressure/memory",
            "some avg10=\(average) avg60=0.00 avg300=0.00 total=\(1_000_000_000_000 + total)\nfull avg10=99.00 total=1\n"
        )
    }

    @Test func `without a trigger pressure is read with each sample`() throws {
        let fixture = try MonitorFixture()
        try writePressure(fixture, average: "00.00", total: 0)
        try fixture.start(proc: fixture.directory.path + "/proc")
        try fixture.begin(policy(.memoryPressure, shed: 40, leave: 10))
        try fixture.pumpRounds()
        #expect(fixture.shed.isEmpty)
        try writePressure(fixture, average: "45.00", total: 0)
        try fixture.loop.pump("one is shed") { !fixture.shed.isEmpty }
        #expect(fixture.reports.contains(.shed(worker: "a", .memory)))
        #expect(fixture.reasons == ["memory pressure is at 45.0 %, from 40.0 % on work is shed"])
        try writePressure(fixture, average: "01.00", total: 0)
        try fixture.loop.pump("it is back") { fixture.restored.last == "a" }
        #expect(fixture.reasons.last == "memory pressure is at 1.0 %, low enough for long enough")
    }

    @Test func `the share of time counts where it is worse than the average`() throws {
        let fixture = try MonitorFixture()
        try writePressure(fixture, average: "00.00", total: 0)
        try fixture.start(proc: fixture.directory.path + "/proc")
        try fixture.begin(policy(.memoryPressure, shed: 40, leave: 10))
        try fixture.pumpRounds()
        try writePressure(fixture, average: "00.00", total: 900_000_000)
        try fixture.loop.pump("one is shed") { !fixture.shed.isEmpty }
        #expect(fixture.reasons == ["memory pressure is at 100.0 %, from 40.0 % on work is shed"])
    }

    /// A trigger for a twentieth of two seconds, which needs no privilege; `nil` where the kernel has no PSI.
    private static func makeTrigger() -> SharedDescriptor? {
        guard let trigger = try? SystemCall.open("/proc/pressure/cpu", [.readWrite, .nonBlocking]),
            case .done? = try? SystemCall.write(trigger.rawValue, Array("some 100000 2000000\0".utf8))
        else { return nil }
        return SharedDescriptor(trigger)
    }

    @Test(.enabled(if: makeTrigger() != nil, "needs a kernel with PSI"))
    func `a trigger of the kernel is heard at once, and then pressure is followed until it is normal`() throws {
        let trigger = try #require(UsageTests.makeTrigger())
        let fixture = try MonitorFixture()
        // Only the trigger can reach it: the threshold is above what the average says.
        var slow = policy(.processorPressure, shed: 101, leave: 100)
        slow.quantities[.processorPressure]?.thresholds[.shed] = Threshold(enter: 101, leave: 100.5)
        try fixture.configure(slow)
        try fixture.send(.pressureTrigger(.processor), descriptor: trigger.rawValue)
        try fixture.send(.worker(MonitorFixture.worker("w")))
        try fixture.send(.workersComplete)
        let hogs = try (0..<(2 * MachineConstants.processors)).map { _ in
            try ChildProcess.spawn(SpawnRequest(executable: "/bin/sh", arguments: ["sh", "-c", "while :; do :; done"]))
        }
        defer { for hog in hogs { try? hog.signal(SignalNumber.kill) } }
        try fixture.loop.pump("it is shed") { fixture.shed == ["w"] }
        for hog in hogs { try? hog.signal(SignalNumber.kill) }
        try fixture.loop.pump("it is back", within: .seconds(30)) { fixture.restored.contains("w") }
    }

    @Test func `a full disk and a high load count where there are rules for them`() throws {
        let fixture = try MonitorFixture()
        try fixture.begin(policy(.fileSystem("/proc"), shed: 0, leave: -1))
        try fixture.loop.pump("shed for the disk") { !fixture.shed.isEmpty }
        #expect(fixture.reasons[0].hasPrefix("the file system of /proc is full to 0.0 %, from 0.0 % on work is shed"))
        let other = try MonitorFixture()
        try other.begin(policy(.load, shed: 0, leave: -1))
        try other.loop.pump("shed for the load") { !other.shed.isEmpty }
        #expect(other.reasons[0].hasPrefix("the load of each processor is "))
    }

    @Test func `what the kernel does not tell is a warning`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        try fixture.start(proc: fixture.directory.path + "/nowhere")
        var policy = MonitorFixture.policy
        for quantity in [Quantity.memoryPressure, .load] {
            policy.quantities[quantity] = LadderPolicy([.shed: Threshold(enter: 1, leave: 0)], dwell: .seconds(1))
        }
        try fixture.begin(policy)
        try fixture.loop.pump("two warnings") { fixture.warnings.count == 2 }
        #expect(fixture.warnings.contains { $0.hasPrefix("the rules for memory pressure do nothing: openat ") })
        #expect(fixture.warnings.contains { $0.hasPrefix("the rules for the load do nothing: openat ") })
    }
}

extension ProcessTimes {
    struct Sample: Equatable, Sendable {
        var ticks: Int
        var threads: Int
    }
}
