import ControlProtocol
import Foundation
import Glibc
import LinuxSystem
import MonotonicTime
import Testing

/// The real `holdfastd` and `holdfast-monitor` on a device whose temperature the test sets.
@Suite(
    .timeLimit(.minutes(2)), .enabled(if: getuid() == 0, "a temperature is faked by mounts, which takes root"))
struct PreservationTests {
    fileprivate static let calm = 45.0
    fileprivate static let hot = 75.0

    /// Nothing but the temperature in degrees counts.
    fileprivate static func settings(_ others: String = "") -> String {
        """
        interval = "100ms"
        sensor_timeout = "10s"
        pause_at = 70.0
        resume_below = 60.0
        throttle_margin = "off"
        pause_margin = "off"
        critical_margin = "off"
        resume_margin = "off"
        dwell = "200ms"
        shed_interval = "200ms"
        restore_interval = "200ms"
        forecast = "off"
        \(others)
        [preservation.memory]
        pause_at = "off"
        critical_at = "off"
        resume_below = "off"
        """
    }

    fileprivate static let workers = """
        [[worker]]
        name = "second"
        command = ["/bin/sleep", "1000"]
        [[worker]]
        name = "vital"
        command = ["/bin/sleep", "1000"]
        essential = true
        shed_order = -10
        [[worker]]
        name = "third"
        command = ["/bin/sleep", "1000"]
        shed_order = 5
        [[worker]]
        name = "first"
        command = ["/bin/sleep", "1000"]
        shed_order = -5
        """
    fileprivate static let sheddable = ["first", "second", "third"]

    /// A daemon with a thermometer.
    fileprivate final class Device {
        let daemon: Daemon
        private let sensors: URL

        init(
            _ configuration: String = PreservationTests.workers,
            _ preservation: String = PreservationTests.settings(), runtime: String = ""
        ) throws {
            sensors = FileManager.default.temporaryDirectory.appending(path: "sensors-\(UUID().uuidString.prefix(8))")
            let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "scripts/with-fake-sensors").path
            daemon = try Daemon(
                configuration, runtime: runtime, preservation: preservation, launcher: [script, sensors.path, "--"])
            try daemon.await("holdfast-monitor", "ready")
            for worker in PreservationTests.sheddable { try daemon.await(worker, "ready") }
        }

        deinit {
            daemon.stop()
            try? FileManager.default.removeItem(at: sensors)
        }

        /// Both of the fake device's sensors say so.
        func become(_ celsius: Double) throws {
            for name in ["hwmon/temp1_input", "thermal_zone0/temp"] {
                // In place: the files are mounted elsewhere.
                let handle = try FileHandle(forWritingTo: sensors.appending(path: name))
                try handle.write(contentsOf: Data("\(Int(celsius * 1000))\n".utf8))
                try handle.close()
            }
        }

        /// Who was the subject of events of that kind, in order.
        func subjects(of kind: String) throws -> [String] {
            try daemon.events().filter { $0.kind == kind }.compactMap(\.worker)
        }

        func pids() throws -> [Int?] {
            try daemon.status().workers.filter { $0.supervisor != "system" }.map(\.pid)
        }

        func awaitShed() throws {
            for worker in PreservationTests.sheddable {
                try daemon.await(worker, "paused") { $0.pauseReasons == ["heat"] }
            }
        }

        func awaitRestored() throws {
            for worker in PreservationTests.sheddable { try daemon.await(worker, "ready") { $0.pauseReasons.isEmpty } }
        }

        func health() throws -> HealthReport {
            try HealthReport(json: .object(try daemon.call(.health).parameters))
        }
    }

    @Test func `heat pauses workers by their order, never an essential one, and lets them go in reverse`() throws {
        let device = try Device()
        let pids = try device.pids()
        try device.become(Self.hot)
        try device.awaitShed()
        #expect(try device.subjects(of: "worker-shed") == Self.sheddable)
        #expect(try device.daemon.worker("vital").state == "ready")
        for worker in Self.sheddable {
            let pid = try device.daemon.pid(worker)
            // The freezer of a cgroup leaves the letter as it was.
            #expect(ProcessStatus(of: pid)?.isStopped == true || Containment.standard == .cgroup)
            #expect(try device.daemon.worker(worker).state == "paused")
        }
        let health = try device.health()
        #expect(health.level == "shed")
        #expect(health.causes.first { $0.cause == "heat" }?.shed == Self.sheddable)
        #expect(health.sensors.contains { $0.kind == "temperature" && $0.value == Self.hot })
        try device.become(Self.calm)
        try device.awaitRestored()
        #expect(try device.subjects(of: "worker-restored") == Self.sheddable.reversed())
        #expect(try device.pids() == pids)
        #expect(
            try device.daemon.events().filter { $0.kind == "level-changed" }.map { $0.details["to"] } == [
                "shed", "normal",
            ])
        #expect(try device.health().level == "normal")
    }

    @Test func `what was shed stays so while the monitor is killed, and comes back when it is calm`() throws {
        let device = try Device()
        let pids = try device.pids()
        try device.become(Self.hot)
        try device.awaitShed()
        let monitor = try device.daemon.pid("holdfast-monitor")
        kill(monitor, SIGKILL)
        try device.daemon.await("holdfast-monitor", "ready") { $0.pid != Int(monitor) }
        // Its successor finds the heat as it is.
        try device.daemon.event { $0.kind == "level-changed" && $0.details["to"] == "shed" && $0.sequence > 0 }
        #expect(try device.subjects(of: "worker-restored").isEmpty)
        try device.awaitShed()
        #expect(try device.subjects(of: "worker-shed") == Self.sheddable)
        try device.become(Self.calm)
        try device.awaitRestored()
        #expect(try device.subjects(of: "worker-restored") == Self.sheddable.reversed())
        #expect(try device.pids() == pids)
    }

    @Test func `what was shed outlives a holdfastd that is killed, and comes back when it is calm`() throws {
        let device = try Device()
        let pids = try device.pids()
        try device.become(Self.hot)
        try device.awaitShed()
        try device.daemon.crash()
        try device.daemon.startAgain()
        try device.awaitShed()
        try device.daemon.await("holdfast-monitor", "ready")
        try device.awaitShed()
        #expect(try device.subjects(of: "worker-restored").isEmpty)
        try device.become(Self.calm)
        try device.awaitRestored()
        #expect(try device.pids() == pids)
        #expect(try device.daemon.status().workers.filter { $0.supervisor != "system" }.allSatisfy { $0.restarts == 0 })
    }

    @Test func `a monitor that was stopped is replaced, and the next one goes on`() throws {
        let device = try Device()
        let monitor = try device.daemon.pid("holdfast-monitor")
        kill(monitor, SIGSTOP)
        try device.become(Self.hot)
        try device.daemon.await("holdfast-monitor", "ready", within: .seconds(40)) { $0.pid != Int(monitor) }
        #expect(try device.daemon.incidents("holdfast-monitor").first?.exit.cause == "watchdog-trigger")
        try device.awaitShed()
    }

    @Test func `switched off by a reload, it lets everybody go, and the monitor with them`() throws {
        let device = try Device()
        try device.become(Self.hot)
        try device.awaitShed()
        try device.daemon.call(.pauseWorker(name: "second"))
        try device.daemon.configure(Self.workers, preservation: "enabled = false")
        try device.daemon.call(.reload)
        try device.daemon.await("first", "ready") { $0.pauseReasons.isEmpty }
        try device.daemon.await("third", "ready") { $0.pauseReasons.isEmpty }
        // What a person has paused is not the device's to resume.
        try device.daemon.await("second", "paused") { $0.pauseReasons == ["operator"] }
        #expect(try !device.daemon.status().workers.contains { $0.name == "holdfast-monitor" })
        let refusal = try #require(throws: VarlinkConnection.Refused.self) { try device.daemon.call(.health) }
        #expect(
            RuntimeError(refusal.reply)
                == .monitorUnavailable(
                    message: "holdfast-monitor does not run, since [preservation] enabled is false"))
        try device.daemon.configure(Self.workers, preservation: Self.settings())
        try device.daemon.call(.reload)
        try device.awaitPausedAgain()
    }

    @Test func `another shed order holds from the reload on, and restarts nobody`() throws {
        let device = try Device()
        let pids = try device.pids()
        try device.daemon.configure(Self.workers.replacing("shed_order = -5", with: "shed_order = 9"))
        let reply = try ReloadReport(json: .object(try device.daemon.call(.reload).parameters))
        #expect(reply.adjusted == ["first"])
        #expect(reply.restarted.isEmpty)
        try device.become(Self.hot)
        try device.awaitShed()
        #expect(try device.subjects(of: "worker-shed") == ["second", "third", "first"])
        #expect(try device.pids() == pids)
    }

    @Test func `critical pauses all at once, alerts, and runs the command once`() throws {
        let mark = FileManager.default.temporaryDirectory.appending(path: "critical-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: mark) }
        let device = try Device(
            Self.workers,
            Self.settings(
                """
                critical_at = 90.0
                critical_command = ["/bin/sh", "-c", "echo $HOLDFAST_LEVEL_CAUSE >> \(mark.path)"]
                """), runtime: "default_user = \"root\"")
        try device.become(95)
        let alert = try device.daemon.event { $0.kind == "alert" }
        #expect(alert.message.contains("critical for heat"))
        try device.awaitShed()
        #expect(try Set(device.subjects(of: "worker-shed")) == Set(Self.sheddable))
        let deadline = MonotonicClock.now() + .seconds(10)
        while (try? String(contentsOf: mark, encoding: .utf8)) != "heat\n", MonotonicClock.now() < deadline {
            // The command tells nobody when it has run.
            usleep(10_000)
        }
        #expect(try String(contentsOf: mark, encoding: .utf8) == "heat\n")
        try device.become(Self.calm)
        try device.awaitRestored()
        #expect(try device.daemon.events().count { $0.kind == "alert" } == 1)
    }

    @Test func `throttled workers get less, those that start meanwhile too, and all of it back`() throws {
        let device = try Device(Self.workers, Self.settings("throttle_at = 65.0"))
        try device.become(66)
        let event = try device.daemon.event { $0.kind == "throttled" }
        #expect(event.details["throttled"] == true)
        let means = try #require(try device.health().throttledBy)
        #expect(event.details["by"]?.stringValue == means)
        guard means.contains("nice") else { return }
        func niceness(_ worker: String) throws -> Int { try SystemCall.niceness(of: device.daemon.pid(worker)) }
        for worker in Self.sheddable { #expect(try niceness(worker) == 10) }
        #expect(try niceness("vital") == 0)
        let before = try device.daemon.pid("first")
        kill(before, SIGKILL)
        try device.daemon.await("first", "ready") { $0.pid != Int(before) }
        #expect(try niceness("first") == 10)
        // Whatever becomes of holdfastd, nobody stays throttled for ever.
        try device.daemon.crash()
        try device.daemon.startAgain()
        try device.daemon.event { $0.kind == "throttled" && $0.details["throttled"] == true }
        for worker in Self.sheddable { #expect(try niceness(worker) == 10) }
        try device.become(Self.calm)
        try device.daemon.event { $0.kind == "throttled" && $0.details["throttled"] == false }
        for worker in Self.sheddable { #expect(try niceness(worker) == 0) }
        #expect(try device.health().throttledBy == nil)
    }

    @Test func `metrics are passed on, and the triggers for pressure are there`() throws {
        let device = try Device(Self.workers, "interval = \"100ms\"")
        let text = try MetricsReply(json: .object(try device.daemon.call(.metrics).parameters)).text
        #expect(text.contains("# TYPE "))
        let monitor = try device.daemon.pid("holdfast-monitor")
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(monitor)/fd").compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(monitor)/fd/\($0)")
        }
        let isCounted = (try? SystemCall.open("/proc/pressure/memory", .readWrite)) != nil
        #expect(files.contains("/proc/pressure/memory") == isCounted)
        #expect(
            try device.daemon.status().runtime.warnings.contains { $0.contains("does not count pressure") } != isCounted
        )
    }
}

extension PreservationTests.Device {
    /// All but the one that an operator has paused as well.
    fileprivate func awaitPausedAgain() throws {
        try daemon.await("first", "paused") { $0.pauseReasons == ["heat"] }
        try daemon.await("third", "paused") { $0.pauseReasons == ["heat"] }
    }
}
