import ControlProtocol
import LinuxSystem
import MonitorProtocol
import SelfPreservation
import TestSupport
import Testing

@testable import MonitorRuntime

/// The whole process, with the real libsensors on chips that are files.
@Suite(.timeLimit(.minutes(1)), .enabled(if: MonitorProcess.isPossible, "needs root")) struct LibsensorsTests {
    private func begin(_ monitor: MonitorProcess, sensors: [SensorRule] = []) throws {
        try monitor.send(
            .configure(
                MonitorSettings(
                    runtimeName: "bench", policy: MonitorFixture.policy, interval: .milliseconds(50), sensors: sensors))
        )
        for name in ["a", "b"] { try monitor.send(.worker(MonitorFixture.worker(name))) }
        try monitor.send(.workersComplete)
        try monitor.wait("ready") { monitor.reports.contains(.ready) }
    }

    private func shed(_ monitor: MonitorProcess) -> Int {
        monitor.reports.count { if case .shed = $0 { true } else { false } }
    }

    @Test func `chips are found with their labels, limits and classes`() throws {
        let monitor = try MonitorProcess { directory in
            for (file, text) in [
                ("fan1_input", "1200"), ("fan1_label", "CPU fan"), ("in0_input", "3312"), ("in0_crit", "3600"),
                ("power1_average", "15500000"), ("temp2_input", "41500"), ("temp2_max", "0"),
                ("temp3_input", "43000"), ("temp3_label", "Package id 0"),
            ] {
                try directory.write("hwmon/\(file)", text + "\n")
            }
        }
        try begin(monitor)
        let health = try monitor.waitForHealth("all are read") {
            $0.sensors.count == 7 && $0.sensors.allSatisfy { $0.value != nil }
        }
        #expect(health.warnings.isEmpty)
        #expect(
            health.sensors.map { "\($0.kind) \($0.name) \($0.value ?? -1) \($0.limit ?? -1)" } == [
                "fan coretemp-isa-0000/CPU fan 1200.0 -1.0",
                "temperature coretemp-isa-0000/Package id 0 45.0 100.0",
                "temperature coretemp-isa-0000/Package id 0 (temp3) 43.0 -1.0",
                "voltage coretemp-isa-0000/in0 3.312 3.6",
                "power coretemp-isa-0000/power1 15.5 -1.0",
                "temperature coretemp-isa-0000/temp2 41.5 -1.0",
                "temperature thermal_zone0/cpu-thermal 45.0 -1.0",
            ])
    }

    @Test func `a hot chip sheds work, a cool one brings it back`() throws {
        let monitor = try MonitorProcess()
        try begin(monitor)
        try monitor.directory.write("hwmon/temp1_input", "91000\n")
        try monitor.wait("all are shed") { shed(monitor) == 2 }
        try monitor.directory.write("hwmon/temp1_input", "40000\n")
        try monitor.wait("they are back") {
            monitor.reports.contains(.restore(worker: "a", .heat))
                && monitor.reports.contains(.restore(worker: "b", .heat))
        }
    }

    /// Puts a FIFO in the place of a chip's file, once the chip is known: libsensors lists ordinary files only.
    private func block(_ sensor: Int, of monitor: MonitorProcess) throws {
        let folder = "\(monitor.directory.path)/hwmon"
        try SystemCall.makeFIFO("\(folder)/fifo")
        try SystemCall.rename("\(folder)/fifo", to: "\(folder)/temp\(sensor)_input")
    }

    private func startWithSensors(_ numbers: [Int]) throws -> MonitorProcess {
        let monitor = try MonitorProcess { directory in
            for number in numbers { try directory.write("hwmon/temp\(number)_input", "40000\n") }
        }
        try begin(monitor)
        _ = try monitor.waitForHealth("all are read") {
            $0.sensors.count == numbers.count + 2 && $0.sensors.allSatisfy { $0.value != nil }
        }
        return monitor
    }

    @Test func `a chip that blocks in libsensors leaves the others`() throws {
        let monitor = try startWithSensors([2])
        try block(2, of: monitor)
        try monitor.wait("it is noted") {
            monitor.reports.contains { if case .noted(.sensorFailed, _, _) = $0 { true } else { false } }
        }
        try monitor.directory.write("hwmon/temp1_input", "91000\n")
        try monitor.wait("all are shed") { shed(monitor) == 2 }
        let health = try monitor.health()
        #expect(health.sensors.first { $0.name == "coretemp-isa-0000/temp2" }?.fault == "silent")
        #expect(health.warnings.count == 1)
        // What is stuck in libsensors keeps it from looking anew; the rules hold all the same.
        try begin(monitor, sensors: [SensorRule(pattern: "*/temp2", isIgnored: true)])
        _ = try monitor.waitForHealth("the rules hold") { $0.sensors.count == 2 }
    }

    @Test func `with three threads stuck the process ends, for the tree to start another one`() throws {
        let monitor = try startWithSensors([2, 3, 4])
        for sensor in [2, 3, 4] { try block(sensor, of: monitor) }
        try monitor.waitForEnd()
        #expect(monitor.child.exit(keepingZombie: false) == .exited(code: 1))
        #expect(!monitor.reports.contains { if case .levelChanged = $0 { true } else { false } })
    }

    @Test func `it ends when holdfastd does, and on SIGTERM`() throws {
        for isSignal in [true, false] {
            var monitor: MonitorProcess? = try MonitorProcess()
            let child = try #require(monitor?.child)
            try monitor.map { try begin($0) }
            if isSignal { try child.signal(SignalNumber.terminate) }
            if !isSignal {
                // The channel goes with it; the process is not killed by then.
                monitor?.keepsChild = true
                monitor = nil
            }
            #expect(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
            #expect(child.exit(keepingZombie: false) == .exited(code: 0))
            withExtendedLifetime(monitor) {}
        }
    }
}
