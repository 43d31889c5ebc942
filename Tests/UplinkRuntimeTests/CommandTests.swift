import ControlProtocol
import LinuxSystem
import TestSupport
import Testing
import UplinkProtocol

@testable import UplinkRuntime

@Suite("Commands from central", .timeLimit(.minutes(2)), .serialized)
struct CommandTests {
    private func command(
        _ sequence: Int, _ kind: String, _ payload: JSONValue = [:], id: String? = nil, expires: Double = 600
    ) -> JSONValue {
        [
            "command": [
                "id": .string(id ?? "command-\(sequence)"), "sequence": .int(Int64(sequence)), "kind": .string(kind),
                "payload": payload, "expires_in_s": .double(expires),
            ]
        ]
    }

    private func states(_ central: CentralProcess, _ id: String) throws -> [String] {
        try central.records("events").filter { $0.record["e"] == "command" && $0.record["id"]?.stringValue == id }
            .compactMap { $0.record["state"]?.stringValue }
    }

    private func messages(_ central: CentralProcess, _ id: String) throws -> [String] {
        try central.records("events").filter { $0.record["e"] == "command" && $0.record["id"]?.stringValue == id }
            .compactMap { $0.record["message"]?.stringValue }
    }

    @Test("are carried out at once, and reported through the spool")
    func carriesOut() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try fixture.connect(central)
        try central.order(command(1, "worker.restart", ["worker": "camera"]))
        try fixture.loop.pump("holdfastd is told") { fixture.calls == ["RestartWorker camera"] }
        try fixture.loop.pump("central hears of it") { try states(central, "command-1") == ["running", "succeeded"] }
        try central.order(command(2, "worker.stop", ["worker": "nobody"]))
        try central.order(command(3, "make.coffee"))
        try central.order(command(4, "worker.stop", [:]))
        try central.order(command(5, "runtime.status"))
        try central.order(command(6, "worker.stop", ["worker": "camera"], expires: 0))
        try central.order(command(7, "device.labels", ["labels": ["line": "4"]]))
        for (id, end) in [
            ("command-2", "failed"), ("command-3", "rejected"), ("command-4", "rejected"), ("command-5", "succeeded"),
            ("command-6", "expired"), ("command-7", "succeeded"),
        ] {
            try fixture.loop.pump("\(id) ends", within: .seconds(20)) { try states(central, id).last == end }
        }
        try fixture.loop.pump("the labels are told") { central.heartbeats.last?["labels"]?["line"] == "4" }
        #expect(fixture.calls.last == "StopWorker nobody")
        let results = try central.records("events").map(\.record)
        #expect(results.contains { $0["result"]?["runtime"]?["name"] == "bench" })
    }

    @Test("a command under way when the uplink is killed is interrupted, and not done again")
    func interrupted() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try fixture.connect(central)
        fixture.unanswered = ["RestartWorker", "Status"]
        try central.order(command(1, "worker.restart", ["worker": "camera"]))
        try fixture.loop.pump("it has begun") { try states(central, "command-1") == ["running"] }
        fixture.kill()
        fixture.unanswered = []
        try fixture.start()
        try fixture.loop.pump("central hears of it", within: .seconds(20)) {
            try states(central, "command-1") == ["running", "interrupted"]
        }
        #expect(fixture.calls == [])
        // One that may be repeated is.
        fixture.unanswered = ["Incidents"]
        try central.order(command(2, "runtime.incidents"))
        try fixture.loop.pump("it has begun") { try states(central, "command-2") == ["running"] }
        fixture.kill()
        fixture.unanswered = []
        try fixture.start()
        try fixture.loop.pump("it ends", within: .seconds(20)) { try states(central, "command-2").last == "succeeded" }
    }

    private static let lamp = PluginReport(
        name: "lamp", file: "/opt/lamp.so", state: .ready, version: "1",
        kinds: [
            PluginKind(
                name: "lamp.blink", summary: nil, isParallel: false, isRepeatable: true, isCancellable: true),
            PluginKind(name: "lamp.break", summary: nil, isParallel: false, isRepeatable: false, isCancellable: false),
            // What the runtime does itself, no plugin does.
            PluginKind(
                name: "worker.restart", summary: nil, isParallel: true, isRepeatable: true, isCancellable: false),
        ])

    @Test("those that a plugin knows are carried out beside the others, and their progress is told")
    func plugins() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        fixture.plugins = [Self.lamp]
        try fixture.start()
        try fixture.connect(central)
        try central.order(command(1, "lamp.blink", ["times": 3]))
        try fixture.loop.pump("holdfastd is asked") { fixture.calls == ["Execute command-1"] }
        fixture.tell(ExecutionReply(state: .running, plugin: "lamp", log: "not for central"), of: "command-1")
        fixture.tell(ExecutionReply(state: .running, plugin: "lamp", percent: 30, message: "on"), of: "command-1")
        try fixture.loop.pump("central hears how far it is") {
            try messages(central, "command-1").contains("30 %: on")
        }
        // While it goes on.
        try central.order(command(2, "worker.restart", ["worker": "camera"]))
        try fixture.loop.pump("another one ends", within: .seconds(20)) {
            try states(central, "command-2").last == "succeeded"
        }
        #expect(fixture.calls.last == "RestartWorker camera")
        try central.order(command(3, "lamp.blink"))
        try fixture.loop.pump("the next is handed over") { fixture.calls.last == "Execute command-3" }
        fixture.tell(
            ExecutionReply(state: .failed, plugin: "lamp", message: "it fell down", code: "crashed"), of: "command-3")
        fixture.tell(ExecutionReply(state: .succeeded, plugin: "lamp", result: ["lit": true]), of: "command-1")
        for (id, end) in [("command-3", "failed"), ("command-1", "succeeded")] {
            try fixture.loop.pump("\(id) ends", within: .seconds(20)) { try states(central, id).last == end }
        }
        #expect(try messages(central, "command-3").last == "it fell down (crashed)")
        #expect(try central.records("events").contains { $0.record["result"]?["lit"] == true })
        #expect(try !messages(central, "command-1").contains { $0.contains("not for central") })
    }

    @Test("of a plugin, those that may be repeated are asked for again after a kill, and others are interrupted")
    func pluginsAfterKill() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        fixture.plugins = [Self.lamp]
        try fixture.start()
        try fixture.connect(central)
        try central.order(command(1, "lamp.blink"))
        try central.order(command(2, "lamp.break"))
        try fixture.loop.pump("both are handed over", within: .seconds(20)) {
            Set(fixture.calls) == ["Execute command-1", "Execute command-2"]
        }
        fixture.kill()
        try fixture.start()
        try fixture.loop.pump("one is asked for again", within: .seconds(20)) {
            fixture.calls.count == 3 && fixture.calls.last == "Execute command-1"
        }
        try fixture.loop.pump("the other is interrupted", within: .seconds(20)) {
            try states(central, "command-2").last == "interrupted"
        }
        fixture.tell(ExecutionReply(state: .succeeded, plugin: "lamp"), of: "command-1")
        try fixture.loop.pump("it ends", within: .seconds(20)) { try states(central, "command-1").last == "succeeded" }
    }

    @Test("a connection that breaks is made again, for the same command")
    func brokenConnection() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        fixture.plugins = [Self.lamp]
        try fixture.start()
        try fixture.connect(central)
        try central.order(command(1, "lamp.break"))
        try fixture.loop.pump("it is handed over") { fixture.calls == ["Execute command-1"] }
        fixture.breakConnection(of: "command-1")
        try fixture.loop.pump("it is asked for again", within: .seconds(20)) {
            fixture.calls == ["Execute command-1", "Execute command-1"]
        }
        fixture.tell(ExecutionReply(state: .succeeded, plugin: "lamp"), of: "command-1")
        try fixture.loop.pump("it ends", within: .seconds(20)) { try states(central, "command-1").last == "succeeded" }
    }

    @Test("a new key takes the old one's place, also when central's answer is lost or the uplink killed")
    func rekey() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        let file = "\(fixture.directory.path)/uplink/identity.pem"
        try fixture.start()
        try fixture.connect(central)
        var known = [try SystemCall.readFile(file, limit: 1000)]
        for (sequence, faults) in [(1, []), (2, ["lose-reply"])] {
            try central.fault("/device/key", faults)
            try central.order(command(sequence, "device.rekey"))
            try fixture.loop.pump("it ends", within: .seconds(20)) {
                try states(central, "command-\(sequence)").last == "succeeded"
            }
            let pem = try SystemCall.readFile(file, limit: 1000)
            #expect(!known.contains(pem))
            known.append(pem)
        }
        try central.fault("/device/key", ["lose-reply"])
        let before = central.requests.filter { $0 == "/device/key" }.count
        try central.order(command(3, "device.rekey"))
        try fixture.loop.pump("central has the key") { central.requests.filter { $0 == "/device/key" }.count > before }
        fixture.kill()
        try fixture.start()
        try fixture.loop.pump("it ends", within: .seconds(20)) { try states(central, "command-3").last == "succeeded" }
        #expect(try SystemCall.status(of: file).mode == 0o600)
    }

    @Test("a diagnostic archive goes ahead of its result")
    func diagnostics() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        try fixture.start()
        try fixture.connect(central)
        try central.order(command(1, "diagnostics.collect"))
        try fixture.loop.pump("it ends", within: .seconds(20)) { try states(central, "command-1").last == "succeeded" }
        let names = central.attachments.first?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(names.contains("status.json") && names.contains("uplink.json") && names.contains("/proc/meminfo"))
    }
}

@Suite("Events of holdfastd", .timeLimit(.minutes(2)), .serialized)
struct EventFollowerTests {
    private func event(_ sequence: Int, at monotonic: Double, kind: String = "alert", details: JSONObject = [:])
        -> EventReport
    {
        EventReport(
            sequence: sequence, time: 1_763_700_000 + monotonic, monotonic: monotonic, kind: kind, worker: "camera",
            message: "event \(sequence)", details: details)
    }

    /// Which events of the runtime central has, by number and time.
    private func told(_ central: CentralProcess) throws -> [String] {
        try central.records("events").compactMap { $0.record["event"] }.compactMap {
            "\($0["sequence"]?.intValue ?? 0)@\($0["monotonic"]?.doubleValue ?? 0)"
        }
    }

    @Test("each arrives once, over restarts of the uplink and fresh starts of the runtime")
    func exactlyOnce() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        fixture.events = [event(1, at: 10), event(2, at: 10), event(3, at: 11.5)]
        try fixture.start()
        try fixture.connect(central)
        fixture.happen(event(4, at: 12))
        try fixture.loop.pump("they have arrived") { try told(central).count == 4 }
        for round in 0..<3 {
            fixture.kill()
            fixture.events.append(event(5 + round, at: 13 + Double(round)))
            try fixture.start()
            try fixture.loop.pump("the new one has arrived") { try told(central).count == 5 + round }
        }
        // The runtime was stopped and started: the numbers begin anew.
        fixture.kill()
        fixture.events = [event(1, at: 20), event(2, at: 21)]
        try fixture.start()
        try fixture.loop.pump("the new ones have arrived") { try told(central).count == 9 }
        #expect(
            try told(central) == [
                "1@10.0", "2@10.0", "3@11.5", "4@12.0", "5@13.0", "6@14.0", "7@15.0", "1@20.0", "2@21.0",
            ])
        #expect(central.complaints == [])
    }

    @Test("a kill before the position is kept costs no repetition")
    func killedBetween() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        fixture.events = (1...5).map { event($0, at: Double($0)) }
        try fixture.start()
        try fixture.loop.pump("they are kept") {
            try fixture.status().queues.first { $0.name == "events" }?.written == 5
        }
        fixture.kill()
        // As if it had died before it wrote this.
        try SystemCall.removeFile("\(fixture.directory.path)/uplink/events.position")
        fixture.events.append(event(6, at: 6))
        try fixture.start()
        try fixture.connect(central)
        try fixture.loop.pump("the new one has arrived") { try told(central).contains("6@6.0") }
        #expect(try told(central).count == 6)
    }

    @Test("come with the incident that they are about")
    func incidents() throws {
        let fixture = try UplinkFixture()
        let central = try CentralProcess(loop: fixture.loop, folder: "\(fixture.directory.path)/central")
        fixture.incidents = [
            IncidentReport(
                id: 3, time: 1, worker: "camera", supervisor: "root",
                exit: ExitReport(status: "exited", code: 1, cause: "exit", message: "exited with 1"), ranFor: 2,
                action: "restarted-at-once", actionMessage: "restarted")
        ]
        try fixture.start()
        try fixture.connect(central)
        fixture.happen(event(1, at: 5, kind: "worker-failed", details: ["incident": 3]))
        try fixture.loop.pump("both have arrived") {
            try central.records("events").contains { $0.record["incident"]?["id"] == 3 }
        }
        #expect(try told(central) == ["1@5.0"])
    }
}
