import ControlProtocol
import FleetAPI
import LinuxSystem
import TestSupport
import Testing
import UplinkProtocol

@testable import UplinkRuntime

@Suite("Link to central", .timeLimit(.minutes(2)), .serialized)
struct LinkTests {
    private func numbers(_ central: CentralProcess) throws -> [Int] {
        try central.records("readings").compactMap { $0.record["v"]?["n"]?.intValue }
    }

    @Test("enrols, beats, and delivers what was there before and what comes later")
    func delivers() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        #expect(fixture.state() == .notEnrolled)
        fixture.measure(0..<100)
        try fixture.connect(central)
        fixture.measure(100..<200)
        try fixture.loop.pump("all has arrived") { try numbers(central).count == 200 }
        #expect(try numbers(central) == Array(0..<200))
        let heartbeat = try #require(central.heartbeats.first)
        #expect(heartbeat["labels"]?["site"] == "lab")
        #expect(heartbeat["spools"]?["readings"]?["id"]?.stringValue?.utf8.count == 32)
        #expect(central.complaints == [])
        for name in ["identity.pem", "enrolment.json"] {
            #expect(try SystemCall.status(of: "\(fixture.directory.path)/uplink/\(name)").mode == 0o600)
        }
        #expect(fixture.reports.contains { if case .noted(.enrolled, _) = $0 { true } else { false } })
        #expect(fixture.reports.contains { if case .noted(.connected, _) = $0 { true } else { false } })
    }

    @Test(
        "loses nothing and repeats nothing, whatever a request ends with",
        arguments: [
            ["drop", "drop", "500", "502"], ["lose-reply", "lose-reply"], ["garbage", "truncate", "huge"],
            ["429", "503", "redirect"], ["replayed", "drop", "replayed", "replayed"], ["413", "413", "lose-reply"],
        ])
    func faults(names: [String]) throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try fixture.connect(central)
        try central.fault("/device/telemetry", names)
        fixture.measure(0..<500)
        try fixture.loop.pump("all has arrived", within: .seconds(40)) { try numbers(central).count == 500 }
        #expect(try numbers(central) == Array(0..<500))
        #expect(central.requests.filter { $0 == "/device/telemetry" }.count < 30)
    }

    /// Texts that do not compress.
    private func noise(_ count: Int) -> [String] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in (0..<10).map { _ in String(random.next(), radix: 36) }.joined() }
    }

    @Test("gets on over a link of 2 KB/s, and over one that dies every second")
    func badLinks() throws {
        for (link, count) in [(["bytes_per_s": 2000] as JSONValue, 60), (["dies_every_s": 0.7], 2000)] {
            let fixture = try UplinkFixture()
            let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
            try fixture.start()
            try central.order(["link": link])
            for text in noise(count) { fixture.runtime?.take([("text", .string(text))], of: "sensor") }
            try fixture.enrol(central.token)
            var arrived = 0
            try fixture.loop.pump("all has arrived over \(link.text)", within: .seconds(60)) {
                // Seldom: asking is work for central too.
                let done = try fixture.status().queues.first { $0.name == "readings" }?.acknowledged ?? 0
                arrived = done
                return done == count
            }
            #expect(arrived == count)
            #expect(try central.records("readings").count == count)
        }
    }

    @Test("a new uplink after kill -9 goes on where the old one was")
    func killed() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try fixture.connect(central)
        for round in 0..<5 {
            try central.fault("/device/telemetry", round.isMultiple(of: 2) ? ["lose-reply"] : [])
            fixture.measure(round * 50..<round * 50 + 50)
            // In the middle of whatever it does.
            for _ in 0..<round * 3 { try fixture.loop.runOnce(timeout: .milliseconds(5)) }
            fixture.kill()
            try fixture.start()
        }
        try fixture.loop.pump("all has arrived", within: .seconds(40)) { try numbers(central).count == 250 }
        #expect(try numbers(central) == Array(0..<250))
        #expect(central.requests.filter { $0 == "/enrol" }.count == 1)
    }

    @Test("a record that central cannot read goes as a gap, and the others arrive")
    func unreadable() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        fixture.measure(0..<20)
        fixture.runtime?.take([("text", "unreadable")], of: "sensor")
        fixture.measure(20..<40)
        try fixture.connect(central)
        try fixture.loop.pump("all has arrived", within: .seconds(30)) { try numbers(central).count == 40 }
        try fixture.loop.pump("an event says so") {
            try central.records("events").contains { $0.record["kind"] == "record-refused" }
        }
    }

    @Test("a central that was restored from a backup gets again what is still there")
    func restored() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try fixture.connect(central)
        fixture.measure(0..<30)
        try fixture.loop.pump("it has arrived") { try numbers(central).count == 30 }
        try central.order(["backup": true])
        fixture.measure(30..<60)
        try fixture.loop.pump("it has arrived") { try numbers(central).count == 60 }
        try central.order(["restore": true])
        fixture.measure(60..<61)
        try fixture.loop.pump("it has all of it again") { try numbers(central) == Array(0..<61) }
    }

    @Test("central's clock corrects the device's")
    func clock() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try central.order(["skew": 40_000_000])
        try fixture.start()
        try fixture.connect(central)
        #expect(abs((try fixture.status().clockOffset ?? 0) - 40_000_000) < 100)
        fixture.measure(0..<3)
        try fixture.loop.pump("it has arrived") { try numbers(central).count == 3 }
    }

    @Test("a certificate without the pinned key, of another host, or past its time is refused, with the reason")
    func distrust() throws {
        for (kind, reason) in [("good", "not trusted"), ("weak-host", "mismatch"), ("expired", "expired")] {
            let fixture = try UplinkFixture()
            let central = try CentralProcess(
                loop: fixture.loop, folder: "\(fixture.directory.path)/central", certificate: kind)
            var token = central.token
            if kind == "good" { token.pins = [[UInt8](repeating: 1, count: 32)] }
            try fixture.start()
            try fixture.enrol(token)
            try fixture.loop.pump("it says why") { try fixture.status().reason != nil }
            let said = try #require(try fixture.status().reason)
            #expect(said.contains(reason), "\(kind): \(said)")
            #expect(central.requests == [])
        }
    }

    @Test("dates are not judged while the device's clock is below its floor")
    func floor() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(
            loop: fixture.loop, folder: "\(fixture.directory.path)/central", certificate: "expired")
        try SystemCall.makeDirectory("\(fixture.directory.path)/uplink")
        // Central has told the year 2100 before.
        try fixture.directory.write("uplink/enrolment.json", "{\"floor_ms\": 4102444800000}")
        try fixture.start()
        try fixture.connect(central)
        #expect(central.requests.contains("/device/heartbeat"))
    }

    @Test("waits for approval, is refused, or revoked, as central says")
    func standing() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try central.order(["mode": "refused"])
        try fixture.enrol(central.token)
        try fixture.loop.pump("it is refused") { fixture.state() == .refused }
        try central.order(["mode": "pending"])
        try fixture.enrol(central.token)
        try fixture.loop.pump("it is pending") { fixture.state() == .pending }
        #expect(try fixture.status().nextAttemptIn ?? 0 > 20)
        try central.order(["mode": "enrolled"])
        try fixture.connect(central)
        try central.order(["mode": "revoked"])
        fixture.measure(0..<2)
        try fixture.loop.pump("it is revoked") { fixture.state() == .refused }
        #expect(try fixture.status().reason?.contains("enrol it again") ?? false)
        // It goes on buffering, and asks seldom.
        fixture.measure(2..<4)
        let before = central.requests.count
        try fixture.loop.runOnce(timeout: .milliseconds(300))
        #expect(central.requests.count <= before + 1)
        #expect(try fixture.status().queues.first { $0.name == "readings" }?.written == 4)
    }

    @Test("a damaged token is refused with the reason")
    func badToken() throws {
        let fixture = try UplinkFixture()
        try fixture.start()
        #expect(try fixture.ask(.enrol(token: "hf1.abc"))["refused"]?.stringValue?.contains("damaged") ?? false)
        #expect(fixture.state() == .notEnrolled)
    }
}
