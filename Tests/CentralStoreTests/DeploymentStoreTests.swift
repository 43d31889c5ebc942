import CentralStore
import ControlProtocol
import FleetAPI
import Rollout
import Testing

@Suite("Any store: bundles and deployments", .timeLimit(.minutes(1)))
struct DeploymentStoreTests {
    private func bundle(_ version: String = "1.0.0@aa", _ digit: Character = "1") -> StoredBundle {
        StoredBundle(
            name: "hello", version: version, file: "hello.tar.zst", size: 10,
            sha256: String(repeating: digit, count: 64), description: ["release": 1], uploadedBy: "alice",
            uploadedAt: now)
    }

    private func deployment(
        _ id: String = "d1", bundle: String = "hello", version: String? = "1.0.0@aa", parallel: Int = 2,
        kind: StoredDeployment.Kind = .deploy
    ) -> StoredDeployment {
        StoredDeployment(
            id: id, kind: kind, bundle: bundle, version: version, payload: ["bundle": .string(bundle)], expiresIn: 60,
            limits: .init(parallel: parallel, failures: 1), createdAt: now, createdBy: "alice", target: "all")
    }

    private func devices(_ store: any CentralStore, _ count: UInt8, _ deployment: String = "d1") async throws
        -> [(id: String, command: String)]
    {
        var devices: [(id: String, command: String)] = []
        for number in 1...count {
            let id = enrolment(number).id
            if try await store.device(id) == nil { _ = try await store.makeDevice(number) }
            devices.append((id, "\(deployment)-c\(number)"))
        }
        return devices
    }

    private func says(_ state: CommandState, _ id: String, _ number: UInt64 = 1) -> TelemetryBatch {
        event(number, "command", ["e": "command", "id": .string(id), "state": .string(state.rawValue), "message": "m"])
    }

    private func states(_ store: any CentralStore, _ id: String = "d1") async throws -> [DeploymentDevice.State] {
        try await store.devices(of: id).map(\.state)
    }

    @Test("a bundle is what it was, ends its upload, and is there once", arguments: StoreKind.allCases)
    func bundles(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let one = bundle()
            let upload = StoredUpload(sha256: one.sha256, file: one.file, size: 10, startedBy: "a", startedAt: now)
            try await store.begin(upload, limit: 1)
            try await store.begin(upload, limit: 1)
            var other = upload
            other.sha256 = "x"
            await #expect(throws: StoreError.self) { try await store.begin(other, limit: 1) }
            #expect(try await store.uploads() == [upload])
            #expect(try await store.contents() == [one.sha256])
            try await store.add(one)
            #expect(try await store.upload(one.sha256) == nil)
            #expect(try await store.bundle(content: one.sha256) == one)
            #expect(try await store.bundle("hello", "1.0.0@aa") == one)
            #expect(try await store.bundle("hello", "1.0.0") == one)
            #expect(try await store.bundle("hello", "1.0") == nil)
            await #expect(throws: StoreError.self) { try await store.add(bundle("1.0.0@aa", "2")) }
            try await store.add(bundle("1.0.0@bb", "3"))
            await #expect(throws: StoreError.self) { try await store.bundle("hello", "1.0.0") }
            #expect(try await store.bundles(BundleFilter()).map(\.version) == ["1.0.0@bb", "1.0.0@aa"])
            try await store.removeBundle(content: one.sha256)
            await #expect(throws: StoreError.self) { try await store.removeBundle(content: one.sha256) }
            #expect(try await store.bundles(BundleFilter(name: "hello")).map(\.version) == ["1.0.0@bb"])
        }
    }

    @Test("metadata never go back, and one version is one content", arguments: StoreKind.allCases)
    func metadata(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            func put(_ version: Int, _ content: String, _ bytes: [UInt8]) async throws {
                try await store.put(
                    StoredMetadata(
                        name: "targets.json", version: version, bytes: bytes, sha256: "\(bytes)",
                        contentSHA256: content, uploadedBy: "a", uploadedAt: now))
            }
            try await put(2, "two", [2])
            // With one more signature.
            try await put(2, "two", [2, 2])
            await #expect(throws: StoreError.self) { try await put(2, "other", [3]) }
            await #expect(throws: StoreError.self) { try await put(1, "one", [1]) }
            #expect(try await store.metadata("targets.json")?.bytes == [2, 2])
            try await put(5, "five", [5])
            #expect(try await store.metadata("targets.json")?.version == 5)
            #expect(try await store.metadata("root.json") == nil)
        }
    }

    @Test(
        "as many get their command as may, and each once, however often it is looked at", arguments: StoreKind.allCases)
    func advance(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await store.add(bundle())
            let devices = try await devices(store, 4)
            let step = try await store.add(deployment(), for: devices)
            #expect(step.sent.count == 2 && step.changed == ["d1"])
            for _ in 0..<3 {
                #expect(try await store.handle(.looked, of: "d1", at: now) == DeploymentStep())
            }
            #expect(try await states(store) == [.sent, .sent, .waiting, .waiting])
            let identity = try await store.identities()[0]
            let order = try #require(try await store.pending(for: identity, after: 0, at: now, limit: 9).first)
            #expect(order.id == "d1-c1" && order.kind == "bundle.deploy" && order.expiresIn == 60)
            let outcome = try await store.apply(says(.succeeded, "d1-c1"), of: identity, at: now)
            #expect(outcome.commands == [.init(id: "d1-c1", state: .succeeded, deployment: "d1")])
            #expect(try await states(store) == [.committed, .sent, .waiting, .waiting])
            #expect(try await store.handle(.looked, of: "d1", at: now).sent.count == 1)
            #expect(try await store.commands(CommandFilter()).count == 3)
            #expect(try await store.deployment("d1")?.counts == [.committed: 1, .sent: 2, .waiting: 1])
            #expect(try await store.activeDeployments() == ["d1"])
        }
    }

    @Test(
        "for somebody who is not there, or of something that is not there, nothing is made",
        arguments: StoreKind.allCases)
    func unknown(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let devices = try await devices(store, 1)
            await #expect(throws: StoreError.self) { try await store.add(deployment(), for: devices) }
            try await store.add(bundle())
            await #expect(throws: StoreError.self) {
                try await store.add(deployment(), for: devices + [("nobody", "c")])
            }
            #expect(try await store.deployments(DeploymentFilter()).isEmpty)
            #expect(try await store.commands(CommandFilter()).isEmpty)
            await #expect(throws: StoreError.self) { try await store.handle(.looked, of: "d1", at: now) }
        }
    }

    @Test("what a newer one supersedes leaves room in the older one for others", arguments: StoreKind.allCases)
    func superseded(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await store.add(bundle())
            let all = try await devices(store, 3)
            _ = try await store.add(deployment(parallel: 1), for: all)
            let newer = try await devices(store, 1, "d2")
            let step = try await store.add(deployment("d2"), for: newer)
            #expect(step.changed == ["d1", "d2"] && step.sent.count == 2)
            #expect(try await states(store) == [.superseded, .sent, .waiting])
            #expect(try await states(store, "d2") == [.sent])
        }
    }

    @Test(
        "who is revoked makes room for the next, and does not get the command after all", arguments: StoreKind.allCases)
    func revoked(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await store.add(bundle())
            let devices = try await devices(store, 3)
            _ = try await store.add(deployment(parallel: 1), for: devices)
            for device in devices.prefix(2) { try await store.setState(.revoked, of: device.id) }
            #expect(try await store.handle(.looked, of: "d1", at: now).sent.count == 1)
            #expect(try await states(store) == [.cancelled, .cancelled, .sent])
            #expect(try await store.command("d1-c1")?.counts == [.cancelled: 1])
            #expect(try await store.command("d1-c2") == nil)
        }
    }

    @Test("how it went stays when the command is gone; an old one goes as a whole", arguments: StoreKind.allCases)
    func prune(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await store.add(bundle())
            let devices = try await devices(store, 2)
            _ = try await store.add(deployment(), for: devices)
            let identities = try await store.identities()
            _ = try await store.apply(says(.succeeded, "d1-c1"), of: identities[0], at: now)
            _ = try await store.prune(before: now + 1, limit: 100)
            #expect(try await store.command("d1-c1") == nil)
            #expect(try await states(store) == [.committed, .sent])
            await #expect(throws: StoreError.self) { try await store.removeBundle(content: bundle().sha256) }
            _ = try await store.apply(says(.failed, "d1-c2"), of: identities[1], at: now)
            _ = try await store.handle(.looked, of: "d1", at: now)
            #expect(try await store.deployment("d1")?.state == .finished)
            _ = try await store.prune(before: now + 1, limit: 100)
            #expect(try await store.deployment("d1") == nil)
            #expect(try await store.devices(of: "d1").isEmpty)
            try await store.removeBundle(content: bundle().sha256)
        }
    }
}
