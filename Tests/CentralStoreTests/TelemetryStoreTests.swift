import CentralStore
import ControlProtocol
import FleetAPI
import Testing

@Suite("Any store: telemetry", .timeLimit(.minutes(1)))
struct TelemetryStoreTests {
    @Test("a batch is applied once, however often and however cut it comes", arguments: StoreKind.allCases)
    func once(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            #expect(try await store.apply(batch(1...60), of: device, at: now).acknowledged == 60)
            #expect(try await store.apply(batch(1...60), of: device, at: now).applied == 0)
            #expect(try await store.apply(batch(1...30), of: device, at: now).acknowledged == 60)
            let outcome = try await store.apply(batch(31...90), of: device, at: now)
            #expect(outcome == BatchOutcome(acknowledged: 90, applied: 30))
            let readings = try await store.readings(all(device))
            #expect(readings.map(\.value) == (1...90).map { .int($0) })
            #expect(try await store.device(device.id)?.isForked == false)
        }
    }

    @Test("a batch that begins too late is not applied, and told where to go on", arguments: StoreKind.allCases)
    func ahead(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.apply(batch(1...10), of: device, at: now)
            let outcome = try await store.apply(batch(12...20), of: device, at: now)
            #expect(outcome == BatchOutcome(acknowledged: 10, isAhead: true))
            #expect(try await store.readings(all(device)).count == 10)
        }
    }

    @Test("spools, queues and devices count apart", arguments: StoreKind.allCases)
    func apart(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (one, two) = (try await store.makeDevice(1), try await store.makeDevice(2))
            let other = String(repeating: "b", count: 32)
            _ = try await store.apply(batch(1...10), of: one, at: now)
            #expect(try await store.apply(batch(1...5, in: other), of: one, at: now).applied == 5)
            #expect(try await store.apply(batch(1...3), of: two, at: now).applied == 3)
            #expect(try await store.apply(event(1, "worker", [:]), of: one, at: now).applied == 1)
            // The same series at the same times, from two spools: nothing overwrites anything.
            #expect(try await store.readings(all(one)).count == 15)
        }
    }

    @Test("a gap takes its numbers, and is kept as one", arguments: StoreKind.allCases)
    func gap(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.apply(batch(1...4), of: device, at: now)
            var lost = batch(10...10)
            lost.header.first = 3
            lost.gaps = [3...9]
            #expect(try await store.apply(lost, of: device, at: now).acknowledged == 10)
            let gaps = try await store.gaps(device: device.id)
            #expect(gaps == [StoredGap(queue: "readings", spool: spool, first: 5, last: 9, receivedAt: now)])
        }
    }

    @Test(
        "another record where the last one was applied flags the device, once, and the batch is applied all the same",
        arguments: StoreKind.allCases)
    func fork(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.apply(batch(1...10), of: device, at: now)
            // As it should be: after is the checksum of record 10.
            #expect(try await !store.apply(batch(11...12, after: 10), of: device, at: now).isNewlyForked)
            let outcome = try await store.apply(batch(13...14, after: 99), of: device, at: now)
            #expect(outcome == BatchOutcome(acknowledged: 14, isNewlyForked: true, applied: 2))
            #expect(try await store.device(device.id)?.isForked == true)
            var overlapping = batch(13...20)
            overlapping.checksums[1].value = 77
            #expect(try await !store.apply(overlapping, of: device, at: now).isNewlyForked)
            #expect(try await store.update(device.id, DeviceChange(clearsFork: true)).isForked == false)
            overlapping = batch(20...21)
            overlapping.checksums[0].value = 77
            #expect(try await store.apply(overlapping, of: device, at: now).isNewlyForked)
        }
    }

    @Test("every kind of value comes back as it was", arguments: StoreKind.allCases)
    func values(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            let values: [ReadingValue] = [
                .int(.max), .int(0), .double(0.1), .double(-1e300), .bool(true), .bool(false), .text("é\u{1F980}"),
                .text(""),
            ]
            var batch = batch(1...UInt64(values.count))
            for (index, value) in values.enumerated() { batch.values[index].value = value }
            batch.values[0].isRepeat = true
            _ = try await store.apply(batch, of: device, at: now + 4000)
            let readings = try await store.readings(all(device))
            #expect(readings.map(\.value) == values)
            #expect(readings.map(\.isRepeat) == [true] + Array(repeating: false, count: 7))
            #expect(readings.allSatisfy { $0.skew == 4000 && $0.boot == "3e1a99d04c5b" })
            #expect(try await store.latest(SeriesFilter(device: device.id)).map(\.value) == [.text("")])
        }
    }

    @Test("steps sum up numbers and leave texts out", arguments: StoreKind.allCases)
    func buckets(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            var batch = batch(1...20)
            batch.values[0].value = .text("starting")
            _ = try await store.apply(batch, of: device, at: now)
            let query = BucketsQuery(
                series: SeriesFilter(device: device.id), from: now, to: now + 20_000, step: 10_000, limit: 10)
            let buckets = try await store.buckets(query)
            #expect(buckets.map(\.count) == [8, 10])
            #expect(buckets.map(\.minimum) == [2, 10])
            #expect(buckets.map(\.maximum) == [9, 19])
            #expect(buckets.map(\.average) == [5.5, 14.5])
            #expect(buckets.map(\.time) == [now, now + 10_000])
        }
    }

    @Test("one device cannot have any number of series", arguments: StoreKind.allCases)
    func seriesLimit(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            let count = UInt64(StoreLimits.seriesOfDevice + 5)
            var many = batch(1...count)
            many.series = (1...count).map { SeriesName(worker: "flood", name: "n\($0)") }
            for index in many.values.indices { many.values[index].series = Int32(index) }
            let outcome = try await store.apply(many, of: device, at: now)
            #expect(outcome.skipped == 5)
            #expect(outcome.acknowledged == count)
            #expect(try await store.events(EventFilter(device: device.id, kind: "loss")).first?.body["count"] == 5)
        }
    }

    @Test("many devices at once: each batch stands for itself", arguments: StoreKind.allCases)
    func concurrently(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            var devices: [DeviceIdentity] = []
            for number in 1...20 { devices.append(try await store.makeDevice(UInt8(number))) }
            try await withThrowingTaskGroup { group in
                for device in devices {
                    group.addTask {
                        for step in 0..<10 as Range<UInt64> {
                            _ = try await store.apply(batch(step * 10 + 1...step * 10 + 10), of: device, at: now)
                        }
                    }
                    // Failing beside them must harm nobody.
                    group.addTask {
                        await #expect(throws: StoreError.self) { try await store.setState(.revoked, of: "nobody") }
                    }
                }
                try await group.waitForAll()
            }
            for device in devices { #expect(try await store.readings(all(device)).count == 100) }
        }
    }

    @Test("what is old goes in small steps, what is new stays", arguments: StoreKind.allCases)
    func prune(_ kind: StoreKind) async throws {
        try await kind.withStore { store in
            let device = try await store.makeDevice()
            _ = try await store.apply(batch(1...100), of: device, at: now)
            _ = try await store.apply(event(1, "worker", [:]), of: device, at: now)
            var steps = 0
            while try await store.prune(before: now + 51_000, limit: 7) >= 7 { steps += 1 }
            #expect(steps >= 7)
            #expect(try await store.readings(all(device)).map(\.value) == (51...100).map { .int($0) })
            #expect(try await store.events(EventFilter()).isEmpty)
            #expect(try await store.pruneOldest(limit: 10) == 10)
            #expect(try await store.readings(all(device)).count == 40)
            // A late repeat is not applied again, though its rows are gone.
            #expect(try await store.apply(batch(1...100), of: device, at: now).applied == 0)
        }
    }
}
