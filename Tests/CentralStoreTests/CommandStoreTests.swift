import CentralStore
import ControlProtocol
import FleetAPI
import Testing

@Suite("Any store: commands and events", .timeLimit(.minutes(1)))
struct CommandStoreTests {
    private func command(_ id: String, expiresAt: Int64? = nil) -> StoredCommand {
        StoredCommand(
            id: id, kind: "worker.restart", payload: ["worker": "camera"], createdAt: now, expiresAt: expiresAt,
            createdBy: "alice", target: "all")
    }

    private func says(_ state: CommandState, _ id: String, _ number: UInt64) -> TelemetryBatch {
        event(number, "command", ["e": "command", "id": .string(id), "state": .string(state.rawValue), "message": "m"])
    }

    @Test("each device counts its commands, and gets those it has not seen", arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (one, two) = (try await store.makeDevice(1), try await store.makeDevice(2))
            #expect(try await store.add(command("c1"), for: [one.id]) == [one.id: 1])
            #expect(try await store.add(command("c2"), for: [one.id, two.id]) == [one.id: 2, two.id: 1])
            let orders = try await store.pending(for: one, after: 0, at: now, limit: 10)
            #expect(orders.map(\.id) == ["c1", "c2"])
            #expect(try await store.pending(for: one, after: 1, at: now, limit: 10).map(\.id) == ["c2"])
            #expect(try await store.pending(for: one, after: 0, at: now, limit: 1).map(\.id) == ["c1"])
            #expect(try await store.pending(for: two, after: 1, at: now, limit: 10).isEmpty)
            #expect(try await store.commands(CommandFilter(device: two.id)).map(\.id) == ["c2"])
            #expect(try await store.commands(CommandFilter(before: "c2")).map(\.id) == ["c1"])
        }
    }

    @Test("a command for somebody who is not there is for nobody", arguments: StoreKind.allCases)
    func unknownDevice(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            await #expect(throws: StoreError.self) { try await store.add(command("c1"), for: [device.id, "nobody"]) }
            #expect(try await store.command("c1") == nil)
            #expect(try await store.pending(for: device, after: 0, at: now, limit: 10).isEmpty)
        }
    }

    @Test("a restored backup does not give numbers that the device has seen", arguments: StoreKind.allCases)
    func restored(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            // Made by a central that has forgotten commands 1 to 9.
            _ = try await store.add(command("c1"), for: [device.id])
            let orders = try await store.pending(for: device, after: 9, at: now, limit: 10)
            #expect(orders.map(\.sequence) == [10])
            #expect(orders.map(\.id) == ["c1"])
            #expect(try await store.add(command("c2"), for: [device.id]) == [device.id: 11])
        }
    }

    @Test("an old command goes when it has ended everywhere, its numbers do not", arguments: StoreKind.allCases)
    func prune(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (one, two) = (try await store.makeDevice(1), try await store.makeDevice(2))
            _ = try await store.add(command("c1"), for: [one.id, two.id])
            _ = try await store.add(command("c2"), for: [one.id])
            _ = try await store.apply(says(.succeeded, "c1", 1), of: one, at: now)
            _ = try await store.apply(says(.failed, "c2", 2), of: one, at: now)
            _ = try await store.prune(before: now, limit: 100)
            #expect(try await store.commands(CommandFilter()).count == 2)
            _ = try await store.prune(before: now + 1, limit: 100)
            // The other device has not run it yet.
            #expect(try await store.commands(CommandFilter()).map(\.id) == ["c1"])
            #expect(try await store.pending(for: two, after: 0, at: now, limit: 10).map(\.id) == ["c1"])
            _ = try await store.apply(says(.succeeded, "c1", 1), of: two, at: now)
            _ = try await store.prune(before: now + 1, limit: 100)
            #expect(try await store.commands(CommandFilter()).isEmpty)
            #expect(try await store.add(command("c3"), for: [one.id, two.id]) == [one.id: 3, two.id: 2])
        }
    }

    @Test("what the device says counts; an end is not taken back", arguments: StoreKind.allCases)
    func progress(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.add(command("c1"), for: [device.id])
            func state() async throws -> CommandState? { try await store.progress(of: "c1").first?.state }
            let outcome = try await store.apply(says(.running, "c1", 1), of: device, at: now)
            #expect(outcome.commands == [.init(id: "c1", state: .running)])
            #expect(try await store.cancel("c1", at: now) == 0)
            _ = try await store.apply(says(.failed, "c1", 2), of: device, at: now)
            #expect(try await state() == .failed)
            _ = try await store.apply(says(.running, "c1", 3), of: device, at: now)
            #expect(try await state() == .failed)
            // Of a command of somebody else: no effect, no error.
            _ = try await store.apply(says(.running, "c2", 4), of: device, at: now)
        }
    }

    @Test("called off in time it is not given out; the device's word is the last", arguments: StoreKind.allCases)
    func cancel(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.add(command("c1"), for: [device.id])
            #expect(try await store.cancel("c1", at: now) == 1)
            #expect(try await store.pending(for: device, after: 0, at: now, limit: 10).isEmpty)
            _ = try await store.apply(says(.succeeded, "c1", 1), of: device, at: now)
            #expect(try await store.command("c1")?.counts == [.succeeded: 1])
        }
    }

    @Test("an expired command is not given out, and marked", arguments: StoreKind.allCases)
    func expiry(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.add(command("c1", expiresAt: now + 500), for: [device.id])
            #expect(try await store.pending(for: device, after: 0, at: now, limit: 10).first?.expiresIn == 0.5)
            #expect(try await store.pending(for: device, after: 0, at: now + 500, limit: 10).isEmpty)
            #expect(try await store.expireCommands(before: now + 501) == 1)
            #expect(try await store.command("c1")?.counts == [.expired: 1])
        }
    }

    @Test("an attachment belongs to a command of that device", arguments: StoreKind.allCases)
    func attachments(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (one, two) = (try await store.makeDevice(1), try await store.makeDevice(2))
            _ = try await store.add(command("c1"), for: [one.id])
            try await store.attach([1, 2, 3], to: "c1", of: one)
            await #expect(throws: StoreError.self) { try await store.attach([9], to: "c1", of: two) }
            #expect(try await store.attachment(of: "c1", from: one.id) == [1, 2, 3])
            #expect(try await store.attachment(of: "c1", from: two.id) == nil)
            #expect(try await store.progress(of: "c1").map(\.hasAttachment) == [true])
        }
    }

    @Test("of an incident that comes again, the later one counts", arguments: StoreKind.allCases)
    func incidents(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            func incident(_ recovered: JSONValue) -> JSONObject {
                [
                    "e": "incident",
                    "incident": ["id": 4, "time": 1.5, "worker": "camera", "recovered_after_s": recovered],
                ]
            }
            _ = try await store.apply(event(1, "incident", incident(.null)), of: device, at: now)
            _ = try await store.apply(event(2, "incident", incident(2)), of: device, at: now)
            let incidents = try await store.incidents(EventFilter(worker: "camera"))
            #expect(incidents.map(\.time) == [1500])
            #expect(incidents.first?.body["recovered_after_s"] == 2)
            #expect(try await store.events(EventFilter(kind: "incident")).map(\.id).sorted(by: >).count == 2)
        }
    }
}
