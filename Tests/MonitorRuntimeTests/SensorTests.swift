import ControlProtocol
import LinuxSystem
import MonitorProtocol
import SelfPreservation
import TestSupport
import Testing

@testable import MonitorRuntime

/// Sensors to reports, by way of zones that are ordinary files.
@Suite(.timeLimit(.minutes(1))) struct SensorTests {
    @Test func `work is shed in the heat, one after the other, and comes back in reverse`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        try fixture.begin()
        try fixture.pumpRounds()
        #expect(fixture.shed.isEmpty)
        try fixture.setZone(0, 76)
        try fixture.loop.pump("all are shed") { fixture.shed == ["a", "b", "c"] }
        #expect(fixture.levels == [.shed])
        #expect(fixture.reasons == ["thermal_zone0/cpu-thermal is at 76.0 °C, from 75.0 °C on work is shed"])
        #expect(fixture.reports.contains(.throttle(true)))
        try fixture.setZone(0, 40)
        try fixture.loop.pump("all are back") { fixture.restored == ["c", "b", "a"] }
        #expect(fixture.levels == [.shed, .normal])
        #expect(
            fixture.reasons.last == "the hottest sensor, thermal_zone0/cpu-thermal, is at 40.0 °C")
        #expect(fixture.reports.contains(.throttle(false)))
    }

    @Test func `at the critical level all go in the same moment`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 95)
        try fixture.begin()
        try fixture.loop.pump("one is shed") { !fixture.shed.isEmpty }
        #expect(fixture.shed == ["a", "b", "c"])
        #expect(
            fixture.reports.contains(
                .levelChanged(
                    .heat, from: .normal, to: .critical,
                    why:
                        "thermal_zone0/cpu-thermal is at 95.0 °C, from 90.0 °C on all work that is not essential is shed"
                )))
    }

    @Test func `who is essential is never shed`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 95)
        try fixture.send(.worker(MonitorFixture.worker("vital", isEssential: true)))
        try fixture.begin()
        try fixture.loop.pump("the others are shed") { fixture.shed.count == 3 }
        try fixture.pumpRounds()
        #expect(!fixture.shed.contains("vital"))
    }

    @Test(arguments: ["300000", "-99000", "nan", "garbage", ""])
    func `nonsense is discarded and told of once`(text: String) throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        try fixture.begin()
        try fixture.pumpRounds()
        try fixture.setZone(0, text: text)
        try fixture.loop.pump("it is noted") { !fixture.notes(.sensorFailed).isEmpty }
        try fixture.loop.pump("the level without sensors") { fixture.levels == [.throttle] }
        #expect(fixture.notes(.sensorFailed).count == 1)
        #expect(fixture.notes(.sensorsLost).count == 1)
        #expect(fixture.shed.isEmpty)
        let sensor = try #require(try fixture.health().sensors.first)
        #expect(sensor.value == 50)
        #expect(sensor.fault == "implausible")
        try fixture.setZone(0, 51)
        try fixture.loop.pump("it is believed again") { fixture.notes(.sensorRecovered).count == 1 }
        try fixture.loop.pump("normal again") { fixture.levels == [.throttle, .normal] }
    }

    @Test func `with all sensors lost at the peak the level holds, and then the declared one`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 80)
        try fixture.begin()
        try fixture.loop.pump("all are shed") { fixture.shed.count == 3 }
        try SystemCall.removeFile("\(fixture.directory.path)/thermal_zone0/temp")
        try fixture.loop.pump("it is noted") { !fixture.notes(.sensorsLost).isEmpty }
        #expect(fixture.restored.isEmpty)
        #expect(fixture.levels == [.shed])
        try fixture.loop.pump("the level without sensors") { fixture.levels == [.shed, .throttle] }
        #expect(
            fixture.reasons.last == "no temperature sensor says anything plausible; without one the level is throttle")
        #expect(try fixture.health().isBlind)
        try fixture.loop.pump("work comes back") { fixture.restored == ["c", "b", "a"] }
    }

    @Test func `a sensor that blocks does not stop the rest`() throws {
        let fixture = try MonitorFixture()
        let blocking = try fixture.makeBlockingZone(0)
        try fixture.setZone(1, 50, type: "other")
        try fixture.begin()
        try fixture.loop.pump("it is noted") { fixture.notes(.sensorFailed).count == 1 }
        #expect(fixture.warnings.contains { $0.hasPrefix("thermal_zone0/blocking has not answered") })
        #expect(fixture.notes(.sensorFailed)[0].hasPrefix("thermal_zone0/blocking has said nothing"))
        try fixture.setZone(1, 80, type: "other")
        try fixture.loop.pump("work is shed") { fixture.shed.count == 3 }
        #expect(!fixture.isHopeless)
        let health = try fixture.health()
        #expect(health.sensors.map(\.fault) == ["silent", nil])
        #expect(!health.isBlind)
        withExtendedLifetime(blocking) {}
    }

    @Test func `with three threads stuck it gives up, for another process to try`() throws {
        let fixture = try MonitorFixture()
        let blocking = try (0..<4).map { try fixture.makeBlockingZone($0) }
        try fixture.begin()
        try fixture.loop.pump("it gives up") { fixture.isHopeless }
        try fixture.loop.pump("each was told of") {
            fixture.warnings.count { $0.contains("has not answered") } == 3
        }
        withExtendedLifetime(blocking) {}
    }

    @Test func `a reload gives a stuck sensor another chance`() throws {
        let fixture = try MonitorFixture()
        var blocking: BlockingZone? = try fixture.makeBlockingZone(0)
        try fixture.begin()
        try fixture.loop.pump("it is stuck") { fixture.warnings.contains { $0.contains("has not answered") } }
        withExtendedLifetime(blocking) {}
        blocking = nil
        try SystemCall.removeFile("\(fixture.directory.path)/thermal_zone0/temp")
        try fixture.setZone(0, 95, type: "blocking")
        try fixture.pumpRounds()
        #expect(fixture.shed.isEmpty)
        var policy = MonitorFixture.policy
        policy.shedInterval = .seconds(1)
        try fixture.configure(policy)
        try fixture.loop.pump("it is read") { fixture.shed.count == 3 }
    }

    @Test func `what a pattern leaves out does not count, and an offset does`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 99, type: "bogus")
        try fixture.setZone(1, 50, type: "cpu-thermal")
        try fixture.begin(sensors: [
            SensorRule(pattern: "thermal_zone*/bog?s", isIgnored: true), SensorRule(pattern: "*/cpu-*", offset: 26),
            SensorRule(pattern: "*", offset: 1000),
        ])
        try fixture.loop.pump("work is shed") { fixture.shed == ["a", "b", "c"] }
        #expect(try fixture.health().sensors.map(\.name) == ["thermal_zone1/cpu-thermal"])
        #expect(try fixture.health().sensors.map(\.value) == [76])
        #expect(fixture.levels == [.shed])
        try fixture.configure(sensors: [SensorRule(pattern: "*cpu*", isIgnored: true)])
        try fixture.loop.pump("the other one counts now") { fixture.levels.last == .critical }
        #expect(try fixture.health().sensors.map(\.name) == ["thermal_zone0/bogus"])
    }

    @Test func `a zone's own limits count, critical before hot, and nonsense among them does not`() throws {
        let fixture = try MonitorFixture()
        for (zone, trips) in [
            (0, [("passive", 60_000), ("hot", 85_000), ("critical", 95_000)]), (1, [("hot", 80_000)]),
            (2, [("critical", 65_261_850)]),
        ] {
            try fixture.setZone(zone, 50)
            for (index, trip) in trips.enumerated() {
                try fixture.directory.write("thermal_zone\(zone)/trip_point_\(index)_type", "\(trip.0)\n")
                try fixture.directory.write("thermal_zone\(zone)/trip_point_\(index)_temp", "\(trip.1)\n")
            }
        }
        var policy = MonitorFixture.policy
        policy.temperature.thresholds = [:]
        policy.belowLimit = LadderPolicy([.shed: Threshold(enter: -8, leave: -15)], dwell: .milliseconds(100))
        try fixture.begin(policy)
        try fixture.pumpRounds()
        #expect(try fixture.health().sensors.map(\.limit) == [95, 80, nil])
        try fixture.setZone(2, 140)
        try fixture.setZone(0, 86)
        try fixture.pumpRounds()
        #expect(fixture.shed.isEmpty)
        try fixture.setZone(0, 87)
        try fixture.loop.pump("work is shed") { !fixture.shed.isEmpty }
    }

    @Test func `whom a monitor before it has shed stays so until it knows`() throws {
        let fixture = try MonitorFixture()
        let blocking = try fixture.makeBlockingZone(1)
        try fixture.setZone(0, 50)
        try fixture.begin(shed: [.heat: ["a", "b"]])
        try fixture.loop.pump("one is read") { try fixture.health().sensors.contains { $0.value == 50 } }
        #expect(fixture.restored.isEmpty, "the other one may be hot")
        #expect(try fixture.health().causes.first?.shed == ["a", "b"])
        #expect(try fixture.health().causes.first?.nextRestore != nil)
        try fixture.loop.pump("they are back") { fixture.restored == ["b", "a"] }
        withExtendedLifetime(blocking) {}
    }

    @Test func `a monitor that is replaced goes on where the one before was`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 76)
        try fixture.begin()
        try fixture.loop.pump("all are shed") { fixture.shed.count == 3 }
        try fixture.setZone(0, 72)
        try fixture.start()
        fixture.forgetReports()
        try fixture.begin(shed: [.heat: ["a", "b", "c"]])
        try fixture.pumpRounds(10)
        #expect(fixture.restored.isEmpty, "72 degrees are too much for that")
        try fixture.setZone(0, 50)
        try fixture.loop.pump("all are back") { fixture.restored == ["c", "b", "a"] }
    }

    @Test func `without sensors it says so, and does nothing`() throws {
        let fixture = try MonitorFixture()
        try fixture.begin()
        try fixture.loop.pump("it is told") { !fixture.warnings.isEmpty }
        try fixture.pumpRounds()
        #expect(fixture.warnings == ["no temperature sensor was found: nothing is done against heat here"])
        #expect(fixture.levels.isEmpty)
    }

    @Test func `what cannot be understood is a warning, and the end of the channel the end of it`() throws {
        let fixture = try MonitorFixture()
        try fixture.setZone(0, 50)
        try fixture.begin()
        try fixture.sendRaw(Array("{}".utf8))
        try fixture.sendRaw(Array("garbage".utf8))
        try fixture.sendRaw(Array(#"{"type":"from-the-future"}"#.utf8))
        try fixture.loop.pump("three warnings") { fixture.warnings.count == 3 }
        try fixture.sendRaw(Array("garbage".utf8))
        try fixture.pumpRounds()
        #expect(fixture.warnings.count == 3, "each is told once")
    }
}
