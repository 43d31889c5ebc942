import CentralStore
import ControlProtocol
import FleetAPI
import Testing

@Suite("Any store: devices and tokens", .timeLimit(.minutes(1)))
struct DeviceStoreTests {
    @Test("the same key gets the same again and costs no use; another does", arguments: StoreKind.allCases)
    func enrolment(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            #expect(try await store.enrol(CentralStoreTests.enrolment(1), at: now).identity == device)
            #expect(try await store.enrol(CentralStoreTests.enrolment(1, secret: 99), at: now).identity == device)
            #expect(try await store.enrolmentTokens().map(\.used) == [1])
            await #expect(throws: StoreError.self) {
                try await store.enrol(CentralStoreTests.enrolment(2, secret: 1), at: now)
            }
        }
    }

    @Test(
        "a secret that is unknown, expired, used up or revoked is refused, and the message says which",
        arguments: StoreKind.allCases)
    func refusals(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.makeDevice()
            func refusal(_ secret: UInt8, at time: Int64 = now) async -> String {
                do {
                    _ = try await store.enrol(CentralStoreTests.enrolment(7, secret: secret), at: time)
                    return "none"
                } catch {
                    return "\(error)"
                }
            }
            #expect(await refusal(55).contains("unknown"))
            #expect(await refusal(1).contains("used up"))
            for (id, secret) in [("e-x", 60), ("e-y", 61)] as [(String, UInt8)] {
                try await store.add(
                    StoredEnrolmentToken(
                        id: id, hash: [UInt8](repeating: secret, count: 32), createdAt: now, expiresAt: now + 10,
                        uses: 5,
                        needsApproval: false))
            }
            try await store.revokeToken("e-y", at: now)
            #expect(await refusal(60, at: now + 10).contains("expired"))
            #expect(await refusal(61).contains("revoked"))
            #expect(await refusal(60) == "none")
        }
    }

    @Test("a revoked device comes back by a new token only, with its old id", arguments: StoreKind.allCases)
    func revoked(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            try await store.add(
                StoredEnrolmentToken(
                    id: "e-many", hash: [UInt8](repeating: 9, count: 32), createdAt: now, expiresAt: now + 1000,
                    uses: 9,
                    needsApproval: true))
            try await store.setState(.revoked, of: device.id)
            await #expect(throws: StoreError.self) { try await store.enrol(CentralStoreTests.enrolment(1), at: now) }
            let back = try await store.enrol(CentralStoreTests.enrolment(1, secret: 9), at: now).identity
            #expect(back.id == device.id)
            #expect(back.state == .pending)
            try await store.setState(.revoked, of: device.id)
            await #expect(throws: StoreError.self) {
                try await store.enrol(CentralStoreTests.enrolment(1, secret: 9), at: now)
            }
        }
    }

    @Test("a key belongs to one device", arguments: StoreKind.allCases)
    func keys(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (one, two) = (try await store.makeDevice(1), try await store.makeDevice(2))
            await #expect(throws: StoreError.self) { try await store.setKey(two.publicKey, of: one.id) }
            try await store.setKey([UInt8](repeating: 50, count: 32), of: one.id)
            #expect(try await store.device(one.id)?.identity.publicKey.first == 50)
        }
    }

    @Test("devices are found by name, state and labels, page by page", arguments: StoreKind.allCases)
    func list(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            for number in 1...12 as ClosedRange<UInt8> {
                let device = try await store.makeDevice(number)
                _ = try await store.update(
                    device.id, DeviceChange(labels: number % 2 == 0 ? ["site": "a", "n": .string("\(number)")] : [:]))
            }
            func count(_ selector: String) async throws -> Int {
                try await store.devices(DeviceFilter(labels: try LabelRequirement.parse(selector))).count
            }
            #expect(try await count("site=a") == 6)
            #expect(try await count("site!=a") == 6)
            #expect(try await count("site") == 6)
            #expect(try await count("!site") == 6)
            #expect(try await count("site=a,n=4") == 1)
            #expect(try await count("site='; DROP TABLE device") == 0)
            #expect(
                try await store.devices(DeviceFilter(name: "device-1*")).map(\.name).sorted() == [
                    "device-1", "device-10", "device-11", "device-12",
                ])
            #expect(try await store.devices(DeviceFilter(name: "device-[1]")).isEmpty)
            let first = try await store.devices(DeviceFilter(limit: 5))
            let second = try await store.devices(DeviceFilter(after: first.last?.identity.id, limit: 100))
            #expect(first.count == 5)
            #expect(second.count == 7)
            #expect(try await store.devices(DeviceFilter(states: [.pending])).isEmpty)
            #expect(try await store.countDevices() == [.enrolled: 12])
        }
    }

    @Test("labels that an operator has set are told until the device has them", arguments: StoreKind.allCases)
    func labels(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            var heartbeat = HeartbeatRequest(
                boot: "b", up: 1, now: now - 5000, version: "1", facts: ["x": 1], labels: ["own": "1"], isForked: false,
                state: [:], spools: [:])
            #expect(try await store.record(heartbeat, of: device, at: now).labels == nil)
            #expect(try await store.device(device.id)?.labels == ["own": "1"])
            _ = try await store.update(device.id, DeviceChange(labels: ["b": "2", "a": "1"]))
            #expect(try await store.record(heartbeat, of: device, at: now).labels == ["b": "2", "a": "1"])
            heartbeat.labels = ["a": "1", "b": "2"]
            heartbeat.isForked = true
            let outcome = try await store.record(heartbeat, of: device, at: now)
            #expect(outcome == HeartbeatOutcome(labels: nil, commandSequence: 0, isNewlyForked: true))
            #expect(try await store.device(device.id)?.skew == 5000)
        }
    }

    @Test("a deleted device leaves nothing, and its series begin anew", arguments: StoreKind.allCases)
    func delete(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.apply(batch(1...10), of: device, at: now)
            _ = try await store.apply(event(1, "worker", [:]), of: device, at: now)
            try await store.delete(device.id)
            #expect(try await store.device(device.id) == nil)
            #expect(try await store.events(EventFilter()).isEmpty)
            // Its token was used up: whoever deletes a device does not want it back by itself.
            await #expect(throws: StoreError.self) { try await store.enrol(CentralStoreTests.enrolment(1), at: now) }
        }
    }

    @Test("operator tokens are found by their hash alone", arguments: StoreKind.allCases)
    func operators(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let token = StoredOperatorToken(id: "o-1", name: "alice", role: .operator, hash: [1, 2, 3], createdAt: now)
            try await store.add(token)
            #expect(try await store.operatorToken(hash: [1, 2, 3]) == token)
            #expect(try await store.operatorToken(hash: [1, 2]) == nil)
            try await store.revokeToken("o-1", at: now + 1)
            #expect(try await store.operatorToken(hash: [1, 2, 3])?.revokedAt == now + 1)
            await #expect(throws: StoreError.self) { try await store.revokeToken("o-2", at: now) }
        }
    }
}
