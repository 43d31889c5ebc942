import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Testing

@testable import CentralService

@Suite("Deployments at central", .timeLimit(.minutes(1)))
struct DeploymentRequestTests {
    private static let id = "0b0c1d2e-0000-4000-8000-000000000001"

    /// What it takes: a bundle that is signed, an operator, and devices whose names are in the order of the list.
    private struct Fleet {
        let central: CentralUnderTest
        let token: String
        let bundle: TestBundle
        var devices: [DeviceUnderTest] = []

        static func with(_ count: Int, _ body: (Fleet) async throws -> Void) async throws {
            try await CentralUnderTest.with { central in
                var fleet = Fleet(
                    central: central, token: try await central.token(.operator), bundle: try TestBundle())
                try await central.publish([fleet.bundle], fleet.token)
                for number in 0..<count {
                    let device = try await central.device()
                    // Against the order of their ids, as often as not.
                    _ = try await central.ask(
                        .patch, "/devices/\(device.keyID)", fleet.token, ["name": .string("press-\(number)")])
                    fleet.devices.append(device)
                }
                try await body(fleet)
            }
        }

        func create(_ more: JSONObject = [:]) async throws -> Answer {
            var json: JSONObject = ["bundle": "hello", "version": "1.0.0"]
            if more["devices"] == nil, more["selector"] == nil { json["all"] = true }
            for member in more.members { json[member.key] = member.value }
            return try await central.ask(.post, "/deployments", token, .object(json))
        }

        func look(_ id: String) async throws -> JSONValue {
            try await central.ask(.get, "/deployments/\(id)", token).json
        }

        /// How it stands on each device, in the order of their turns.
        func states(_ id: String) async throws -> [String] {
            (try await look(id)["devices"]?.arrayValue ?? []).compactMap { $0["state"]?.stringValue }
        }

        func act(_ action: String, _ id: String) async throws -> Answer {
            try await central.ask(.post, "/deployments/\(id)/\(action)", token)
        }

        /// A device gets its command, and says how it went.
        func end(_ place: Int, _ state: CommandState, _ message: String = "", number: Int = 1) async throws {
            let command = try #require(try await devices[place].commands().last)
            try await devices[place].say(state, of: command.id, message, number: number)
        }
    }

    @Test("devices have their turns in the order of their names, so many at once")
    func order() async throws {
        try await Fleet.with(4) { fleet in
            let created = try await fleet.create([
                "max_parallel": 2, "force": true, "download_within_s": 60,
            ])
            #expect(created.status == 201)
            let id = try #require(created.json["id"]?.stringValue)
            #expect(try await fleet.states(id) == ["sent", "sent", "waiting", "waiting"])
            let orders = try await fleet.devices[0].commands()
            #expect(orders.map(\.kind) == ["bundle.deploy"])
            #expect(
                orders.first?.payload == [
                    "bundle": "hello", "version": .string(fleet.bundle.version), "file": .string(fleet.bundle.file),
                    "force": true, "download_within_s": 60.0,
                ])
            #expect(try await fleet.devices[2].commands().isEmpty)

            try await fleet.devices[1].say(
                .running, of: try #require(fleet.devices[1].commands().first).id, "probation", number: 1)
            let running = try await fleet.look(id)["devices"]?.arrayValue?[1]
            #expect(running?["state"] == "running" && running?["message"] == "probation")
            let command = try #require(running?["command"]?.stringValue)
            try await fleet.devices[1].say(.succeeded, of: command, number: 2)
            #expect(try await fleet.states(id) == ["sent", "committed", "sent", "waiting"])
            try await fleet.end(0, .failed, "not ready after 30 s")
            #expect(try await fleet.states(id) == ["failed", "committed", "sent", "sent"])
            try await fleet.end(2, .succeeded)
            #expect(try await fleet.look(id)["state"] == "running")
            try await fleet.end(3, .succeeded)
            let over = try await fleet.look(id)
            #expect(over["state"] == "finished" && over["counts"] == ["committed": 3, "failed": 1])
            #expect(over["devices"]?.arrayValue?[0]["message"] == "not ready after 30 s")
            #expect(
                over["devices"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == (0..<4).map { "press-\($0)" })
            #expect(try await fleet.act("pause", id).status == 409)
        }
    }

    @Test("more failures than may be halt it, and an operator has it go on")
    func halted() async throws {
        try await Fleet.with(5) { fleet in
            let id = try #require(try await fleet.create(["max_parallel": 1]).json["id"]?.stringValue)
            try await fleet.end(0, .failed)
            try await fleet.end(1, .rejected, "no plugin")
            let halted = try await fleet.look(id)
            #expect(halted["state"] == "halted" && halted["message"]?.stringValue?.hasPrefix("2 devices") == true)
            #expect(try await fleet.states(id) == ["failed", "rejected", "waiting", "waiting", "waiting"])
            #expect(try await fleet.act("resume", id).json["state"] == "running")
            try await fleet.end(2, .succeeded)
            try await fleet.end(3, .interrupted, "the device died over it")
            #expect(try await fleet.states(id) == ["failed", "rejected", "committed", "failed", "sent"])
            #expect(try await fleet.look(id)["state"] == "running")
        }
    }

    @Test("after a restart it goes on, and nobody gets the command twice")
    func restarted() async throws {
        try await Fleet.with(3) { fleet in
            let id = try #require(try await fleet.create(["max_parallel": 1]).json["id"]?.stringValue)
            let first = try await fleet.devices[0].commands()
            // The device's word is stored, and central killed before it looks at the deployment.
            let identity = try #require(fleet.central.central.registry[fleet.devices[0].keyID])
            var batch = TelemetryBatch(
                header: BatchHeader(spool: spool, queue: .events, first: 1, last: 1, after: nil, sent: 1))
            batch.boots = ["3e1a99d04c5b"]
            batch.events = [
                .init(
                    sequence: 1, time: 1, monotonic: 1, boot: 0, isRepeat: false, kind: "command", worker: nil,
                    body: ["id": .string(try #require(first.first).id), "state": "succeeded"])
            ]
            _ = try await fleet.central.store.apply(batch, of: identity, at: fleet.central.time.now)
            #expect(try await fleet.states(id) == ["committed", "waiting", "waiting"])

            let later = try await fleet.central.restarted()
            #expect(try await later.store.commands(CommandFilter()).count == 2)
            try await later.central.advanceDeployments()
            _ = try await later.restarted()
            #expect(try await later.store.commands(CommandFilter()).count == 2)
            #expect(try await fleet.states(id) == ["committed", "sent", "waiting"])
            let given = try await later.store.commands(CommandFilter()).map(\.id)
            #expect(
                Set(given) == Set(fleet.devices.prefix(2).map { Central.commandID(id, $0.keyID) }),
                "the ids are derived")
        }
    }

    @Test("a newer deployment of the bundle takes the place of one that has not begun")
    func superseded() async throws {
        try await Fleet.with(3) { fleet in
            let old = try #require(try await fleet.create(["max_parallel": 2]).json["id"]?.stringValue)
            try await fleet.devices[0].say(
                .running, of: try #require(fleet.devices[0].commands().first).id, number: 1)
            let new = try #require(try await fleet.create().json["id"]?.stringValue)
            #expect(try await fleet.states(old) == ["running", "superseded", "superseded"])
            #expect(try await fleet.look(old)["devices"]?.arrayValue?[2]["message"]?.stringValue?.contains(new) == true)
            // One that was sent and not fetched is taken back.
            #expect(try await fleet.devices[1].commands().map(\.id) == [Central.commandID(new, fleet.devices[1].keyID)])
            #expect(try await fleet.states(new) == ["sent", "sent", "sent"])
            try await fleet.devices[0].say(.succeeded, of: Central.commandID(old, fleet.devices[0].keyID), number: 2)
            #expect(try await fleet.look(old)["state"] == "finished")
            // Of another bundle, or on other devices: no matter.
            let back = try await fleet.create([
                "kind": "rollback", "bundle": "other", "version": .null, "devices": [.string(fleet.devices[2].keyID)],
            ])
            #expect(back.status == 201)
            #expect(try await fleet.states(new) == ["sent", "sent", "sent"])
        }
    }

    @Test("a rollback needs no bundle here, and no version")
    func rollback() async throws {
        try await Fleet.with(1) { fleet in
            _ = try #require(
                try await fleet.create(["kind": "rollback", "bundle": "gone", "version": .null, "force": true]).json[
                    "id"])
            let order = try #require(try await fleet.devices[0].commands().first)
            #expect(order.kind == "bundle.rollback" && order.payload == ["bundle": "gone", "force": true])
            #expect(order.expiresIn == 86_400)
        }
    }

    @Test("what devices would refuse, or nobody could get, is not begun")
    func refused() async throws {
        try await Fleet.with(1) { fleet in
            let next = try TestBundle("hello", "1.1.0")
            #expect(try await fleet.create(["version": "1.1.0"]).status == 404)
            #expect(try await fleet.central.upload(next, fleet.token).status == 201)
            let unsigned = try await fleet.create(["version": "1.1.0"])
            #expect(unsigned.status == 409)
            #expect(unsigned.json["detail"]?.stringValue?.contains("does not name hello-1.1.0.tar.zst") == true)
            #expect(try await fleet.create(["version": .null]).status == 400)
            #expect(try await fleet.create(["max_parallel": 0]).status == 400)
            #expect(try await fleet.create(["max_failures": -1]).status == 400)
            #expect(try await fleet.create(["kind": "erase"]).status == 400)
            #expect(try await fleet.create(["selector": "site=nowhere"]).status == 404)
            #expect(try await fleet.create(["devices": ["ffffffffffffffff"]]).status == 404)
            #expect(try await fleet.create(["devices": [], "selector": "a"]).status == 400)
            #expect(try await fleet.look(Self.id)["status"] == 404)
            #expect(try await fleet.central.store.commands(CommandFilter()).isEmpty)
            #expect(try await fleet.central.ask(.get, "/deployments", fleet.token).json["deployments"] == [])
        }
    }

    @Test("a deployment that is sent again under its id is made once")
    func idempotent() async throws {
        try await Fleet.with(2) { fleet async throws in
            #expect(try await fleet.create(["id": .string(Self.id)]).status == 201)
            #expect(try await fleet.create(["id": .string(Self.id)]).status == 200)
            #expect(
                try await fleet.create(["id": .string(Self.id), "version": .string(fleet.bundle.version)]).status == 200
            )
            #expect(try await fleet.create(["id": .string(Self.id), "max_parallel": 3]).status == 409)
            #expect(try await fleet.create(["id": .string(Self.id), "force": true]).status == 409)
            #expect(try await fleet.central.store.commands(CommandFilter()).count == 2)
        }
    }

    @Test("paused nobody begins; cancelled, who has not begun never does, and who has goes on")
    func operated() async throws {
        try await Fleet.with(4) { fleet in
            let id = try #require(try await fleet.create(["max_parallel": 2]).json["id"]?.stringValue)
            #expect(try await fleet.act("pause", id).json["state"] == "paused")
            #expect(try await fleet.act("pause", id).status == 200)
            try await fleet.end(0, .succeeded)
            #expect(try await fleet.states(id) == ["committed", "sent", "waiting", "waiting"])
            #expect(try await fleet.act("resume", id).json["state"] == "running")
            #expect(try await fleet.states(id) == ["committed", "sent", "sent", "waiting"])
            let second = try #require(try await fleet.devices[1].commands().first).id
            try await fleet.devices[1].say(.running, of: second, "unpacking", number: 1)
            #expect(try await fleet.act("cancel", id).json["state"] == "cancelled")
            #expect(try await fleet.states(id) == ["committed", "running", "cancelled", "cancelled"])
            #expect(try await fleet.devices[2].commands().isEmpty)
            #expect(try await fleet.act("resume", id).status == 409)
            #expect(try await fleet.act("cancel", id).status == 200)
            // Needed as long as somebody is at it.
            #expect(try await fleet.central.ask(.delete, "/bundles/hello/1.0.0", fleet.token).status == 409)
            try await fleet.devices[1].say(.succeeded, of: second, number: 2)
            // It had its command already when that was taken back: its word is the last.
            try await fleet.devices[2].say(
                .succeeded, of: Central.commandID(id, fleet.devices[2].keyID), number: 1)
            #expect(try await fleet.states(id) == ["committed", "committed", "committed", "cancelled"])
            #expect(try await fleet.central.ask(.delete, "/bundles/hello/1.0.0", fleet.token).status == 204)
        }
    }

    @Test("who does not come in time, was revoked or is deleted holds nobody up")
    func absent() async throws {
        try await Fleet.with(4) { fleet in
            let admin = try await fleet.central.token(.admin)
            let id = try #require(
                try await fleet.create(["max_parallel": 1, "max_failures": 0, "expires_in_s": 60]).json["id"]?
                    .stringValue)
            #expect(
                try await fleet.central.ask(.post, "/devices/\(fleet.devices[1].keyID)/revoke", admin).status == 200)
            fleet.central.time.advance(seconds: 61)
            _ = try await fleet.central.store.expireCommands(before: fleet.central.time.now)
            try await fleet.central.central.advanceDeployments()
            #expect(try await fleet.states(id) == ["expired", "cancelled", "sent", "waiting"])
            #expect(try await fleet.look(id)["devices"]?.arrayValue?[1]["message"] == "the device is revoked")
            #expect(
                try await fleet.central.ask(.delete, "/devices/\(fleet.devices[2].keyID)", admin).status == 204)
            try await fleet.central.central.advanceDeployments()
            #expect(try await fleet.states(id) == ["expired", "cancelled", "sent"])
            try await fleet.end(3, .succeeded)
            #expect(try await fleet.look(id)["state"] == "finished")
        }
    }

    @Test("deployments are listed by pages, for a bundle, a device and a state")
    func listed() async throws {
        try await Fleet.with(2) { fleet in
            var ids: [String] = []
            for _ in 0..<3 { ids.append(try #require(try await fleet.create().json["id"]?.stringValue)) }
            let other = try await fleet.create([
                "kind": "rollback", "bundle": "other", "version": .null, "devices": [.string(fleet.devices[1].keyID)],
            ])
            ids.append(try #require(other.json["id"]?.stringValue))
            func list(_ query: String) async throws -> [String] {
                let json = try await fleet.central.ask(.get, "/deployments" + query, fleet.token).json
                return (json["deployments"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
            }
            #expect(try await list("") == ids.reversed())
            #expect(try await list("?limit=2") == [ids[3], ids[2]])
            #expect(try await list("?limit=2&before=\(ids[2])") == [ids[1], ids[0]])
            #expect(try await list("?bundle=other") == [ids[3]])
            #expect(try await list("?device=\(fleet.devices[0].keyID)") == [ids[2], ids[1], ids[0]])
            // The first two were superseded before anybody began.
            #expect(try await list("?state=finished") == [ids[1], ids[0]])
            #expect(try await list("?state=running") == [ids[3], ids[2]])
        }
    }

    @Test("who waits for a deployment hears of every change of it")
    func news() async throws {
        try await Fleet.with(2) { fleet in
            let stream = try #require(fleet.central.central.news.listen())
            let id = try #require(try await fleet.create(["max_parallel": 1]).json["id"]?.stringValue)
            try await fleet.devices[0].say(
                .running, of: try #require(fleet.devices[0].commands().first).id, number: 1)
            fleet.central.central.news.close()
            var heard = 0
            for await item in stream where item.topic == "deployment" {
                #expect(item.body["id"]?.stringValue == id)
                heard += 1
            }
            #expect(heard == 2)
        }
    }
}
