import MonotonicTime
import SelfPreservation
import Testing

@testable import DeviceConfiguration

@Suite struct PreservationConfigurationTests {
    private func settings(
        _ text: String, variables: [(String, String)] = []
    ) throws -> PreservationSettings {
        let report = Configuration.read(text, variables: variables)
        #expect(report.problems.map(\.description) == [])
        return try #require(report.configuration).preservation
    }

    @Test("without a word about it, chips' own limits and memory pressure count, and nothing else")
    func defaults() throws {
        let settings = try settings("")
        #expect(settings.isEnabled && settings.needsMonitor)
        #expect(settings.interval == .seconds(5))
        #expect(settings.metricsPort == nil)
        #expect(settings.criticalCommand == [])
        #expect(settings.sensors == [])
        #expect(settings.policy.temperature == LadderPolicy([:], dwell: .seconds(30)))
        #expect(
            settings.policy.belowLimit
                == LadderPolicy(
                    [
                        .throttle: Threshold(enter: -12, leave: -15), .shed: Threshold(enter: -8, leave: -15),
                        .critical: Threshold(enter: -3, leave: -6),
                    ], dwell: .seconds(30)))
        #expect(
            settings.policy.quantities == [
                .memoryPressure: LadderPolicy(
                    [.shed: Threshold(enter: 40, leave: 10), .critical: Threshold(enter: 70, leave: 10)],
                    dwell: .seconds(30))
            ])
        #expect(settings.policy.forecast == ForecastPolicy(horizon: .seconds(30), tolerance: 3))
        #expect(settings.policy.sensorTimeout == .seconds(15))
        #expect(settings.policy.frozenAfter == nil)
        #expect(settings.policy.blindHold == .seconds(60))
        #expect(settings.policy.blindLevel == .throttle)
    }

    @Test("every key arrives")
    func values() throws {
        let settings = try settings(
            """
            [preservation]
            interval = "1s"
            throttle_at = 70
            pause_at = 75.5
            critical_at = 90.0
            resume_below = 68.0
            throttle_margin = "off"
            pause_margin = "off"
            critical_margin = "off"
            resume_margin = "off"
            hysteresis = 2
            dwell = "10s"
            shed_interval = "2s"
            restore_interval = "3s"
            forecast = "off"
            sensor_timeout = "4s"
            frozen_after = "1h"
            sensors_lost_hold = "2m"
            sensors_lost_level = "shed"
            critical_command = ["/bin/true", "now"]
            metrics_port = 9464
            [preservation.memory]
            pause_at = "off"
            critical_at = "off"
            [preservation.cpu]
            pause_at = 60
            [preservation.io]
            throttle_at = 30
            critical_at = 90
            resume_below = 5
            [preservation.load]
            throttle_at = 2.0
            [[preservation.disk]]
            path = "/var/./lib"
            pause_at = 90
            [[preservation.sensor]]
            match = "coretemp-*/Core *"
            offset = -2.5
            [[preservation.sensor]]
            match = "thermal_zone?/*"
            ignore = true
            """)
        let dwell = Duration.seconds(10)
        #expect(settings.interval == .seconds(1))
        #expect(
            settings.policy.temperature
                == LadderPolicy(
                    [
                        .throttle: Threshold(enter: 70, leave: 68), .shed: Threshold(enter: 75.5, leave: 68),
                        .critical: Threshold(enter: 90, leave: 88),
                    ], dwell: dwell))
        #expect(settings.policy.belowLimit == nil)
        #expect(settings.policy.shedInterval == .seconds(2))
        #expect(settings.policy.restoreInterval == .seconds(3))
        #expect(settings.policy.forecast == nil)
        #expect(settings.policy.sensorTimeout == .seconds(4))
        #expect(settings.policy.frozenAfter == .seconds(3600))
        #expect(settings.policy.blindHold == .seconds(120))
        #expect(settings.policy.blindLevel == .shed)
        #expect(settings.criticalCommand == ["/bin/true", "now"])
        #expect(settings.metricsPort == 9464)
        #expect(
            settings.policy.quantities == [
                .processorPressure: LadderPolicy([.shed: Threshold(enter: 60, leave: 54)], dwell: dwell),
                .diskPressure: LadderPolicy(
                    [.throttle: Threshold(enter: 30, leave: 5), .critical: Threshold(enter: 90, leave: 5)],
                    dwell: dwell),
                .load: LadderPolicy([.throttle: Threshold(enter: 2, leave: 1.8)], dwell: dwell),
                .fileSystem("/var/lib"): LadderPolicy([.shed: Threshold(enter: 90, leave: 81)], dwell: dwell),
            ])
        #expect(
            settings.sensors == [
                PreservationSettings.Sensor(match: "coretemp-*/Core *", offset: -2.5, isIgnored: false),
                PreservationSettings.Sensor(match: "thermal_zone?/*", offset: 0, isIgnored: true),
            ])
    }

    @Test("switched off, nothing asks for anything, and a monitor is there only for who wants its metrics")
    func switchedOff() throws {
        let off = try settings("[preservation]\nenabled = false\npause_at = 70")
        #expect(!off.needsMonitor)
        #expect(off.policy.temperature.thresholds == [:])
        #expect(off.policy.belowLimit == nil)
        #expect(off.policy.quantities == [:])
        #expect(off.policy.blindLevel == .normal)
        #expect(try settings("[preservation]\nenabled = false\nmetrics_port = 9464").needsMonitor)
    }

    @Test("variables override what the file says, also in the tables within")
    func overrides() throws {
        let settings = try settings(
            "[preservation]\npause_at = 75.0\n[preservation.memory]\npause_at = 30",
            variables: [
                ("HOLDFAST_CONFIG__PRESERVATION__PAUSE_AT", "80"),
                ("HOLDFAST_CONFIG__PRESERVATION__INTERVAL", "2s"),
                ("HOLDFAST_CONFIG__PRESERVATION__MEMORY__PAUSE_AT", "off"),
                ("HOLDFAST_CONFIG__PRESERVATION__CRITICAL_COMMAND", "/bin/true,a"),
            ])
        #expect(settings.policy.temperature.thresholds[.shed] == Threshold(enter: 80, leave: 77))
        #expect(settings.interval == .seconds(2))
        #expect(settings.policy.quantities[.memoryPressure]?.thresholds.keys.map(\.self) == [.critical])
        #expect(settings.criticalCommand == ["/bin/true", "a"])
    }

    @Test("the effective values name their sources, those of numbered tables as well")
    func effective() throws {
        let report = Configuration.read(
            "[preservation]\ninterval = \"1s\"\n[[preservation.sensor]]\nmatch = \"a*\"", explains: true)
        let table = try #require(report.effective.first { $0.path == "preservation" })
        let interval = try #require(table.settings.first { $0.key == "interval" })
        #expect(interval.value == .string("1s"))
        #expect(interval.source != .builtIn)
        #expect(table.settings.first { $0.key == "pause_margin" }?.value == .float(8))
        let sensor = try #require(report.effective.first { $0.path == "preservation.sensor[1]" })
        #expect(sensor.name == nil)
        #expect(sensor.header == "[[preservation.sensor]]")
    }

    @Test("the place in the shed order is the worker's, and no part of what its process is launched with")
    func shedOrder() throws {
        let worker = "[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\"]\n"
        let plain = try #require(Configuration.read(worker).configuration)
        let ordered = try #require(Configuration.read(worker + "shed_order = -3\n").configuration)
        #expect(plain.shedOrders == ["a": 0])
        #expect(ordered.shedOrders == ["a": -3])
        #expect(plain.children == ordered.children)
        #expect(plain.launches == ordered.launches)
    }

    @Test(
        "a contradiction is told at the key that makes it",
        arguments: [
            (
                "pause_at = 80\ncritical_at = 75",
                "t.toml:3:15: preservation.critical_at: critical_at = 75.0 does not go with pause_at = 80.0; allowed: "
                    + "resume_below below throttle_at, throttle_at up to pause_at, and pause_at up to critical_at"
            ),
            (
                "resume_below = 75\npause_at = 75",
                "t.toml:3:12: preservation.pause_at: pause_at = 75.0 does not go with resume_below = 75.0; allowed: "
                    + "resume_below below throttle_at, throttle_at up to pause_at, and pause_at up to critical_at"
            ),
            (
                "pause_margin = 20",
                "t.toml:2:16: preservation.pause_margin: pause_margin = 20.0 does not go with throttle_margin = 12.0 "
                    + "(the default); allowed: resume_margin above throttle_margin, throttle_margin down to "
                    + "pause_margin, and pause_margin down to critical_margin"
            ),
            (
                "resume_below = 60",
                "t.toml:2:16: preservation.resume_below: has no meaning without pause_at; set that as well, or remove "
                    + "this"
            ),
            (
                "sensor_timeout = \"5s\"",
                "t.toml:2:18: preservation.sensor_timeout: interval is \"5s\", and sensor_timeout is \"5s\"; "
                    + "allowed: sensor_timeout longer than interval"
            ),
            (
                "interval = \"1m\"\nsensor_timeout = \"2m\"",
                "t.toml:2:12: preservation.interval: interval is \"1m\", and forecast is \"30s\"; allowed: forecast "
                    + "at least as long as interval"
            ),
            (
                "[preservation.cpu]\nresume_below = 20",
                "t.toml:3:16: preservation.cpu.resume_below: has no meaning without throttle_at, pause_at or "
                    + "critical_at; set that as well, or remove this"
            ),
            (
                "[[preservation.disk]]\npath = \"/\"",
                "t.toml:2:1: preservation.disk[1]: asks for nothing; allowed: throttle_at, pause_at or critical_at"
            ),
            (
                "[[preservation.disk]]\npath = \"/\"\npause_at = 90\n[[preservation.disk]]\npath = \"/.\"\npause_at = 9",
                "t.toml:6:8: preservation.disk[2].path: \"/\" stands already at t.toml:3:8; remove one of them"
            ),
            (
                "[[preservation.sensor]]\nmatch = \"a\"\nignore = true\noffset = 1",
                "t.toml:5:10: preservation.sensor[1].offset: has no meaning for what is ignored; remove one of them"
            ),
            (
                "sensors_lost_level = \"shedd\"",
                "t.toml:2:22: preservation.sensors_lost_level: \"shedd\" is not known (did you mean \"shed\"?); "
                    + "allowed: \"normal\", \"throttle\", \"shed\" or \"critical\""
            ),
            (
                "pause_at = nan",
                "t.toml:2:12: preservation.pause_at: nan is out of range; allowed: a number from -40.0 to 150.0, or "
                    + "\"off\""
            ),
        ])
    func contradictions(_ text: String, _ message: String) {
        #expect(Configuration.read("[preservation]\n" + text).problems.map(\.description) == [message])
    }

    @Test("all mistakes are told at once")
    func allAtOnce() {
        let report = Configuration.read(
            """
            [preservation]
            interval = "20s"
            throttle_at = 90
            pause_at = 80
            critical_at = 70
            [preservation.memory]
            pause_at = 101
            [[preservation.sensor]]
            """)
        #expect(report.problems.count == 5)
        #expect(report.configuration == nil)
    }

    @Test("a variable for one of several tables without names says where it can be set")
    func numberedOverride() {
        let report = Configuration.read(
            "", variables: [("HOLDFAST_CONFIG__PRESERVATION__SENSOR__0__MATCH", "a*")])
        #expect(
            report.problems.map(\.description) == [
                "environment: HOLDFAST_CONFIG__PRESERVATION__SENSOR__0__MATCH: "
                    + "is in one of several tables without names: set it in a file"
            ])
    }
}
