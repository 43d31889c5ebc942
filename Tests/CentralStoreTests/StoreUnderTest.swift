import CentralStore
import ControlProtocol
import FleetAPI
import Glibc
import Testing

/// A kind of store, and how to get a fresh one. Whatever implements `CentralStore` is added here, and passes the suites.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case sqlite

    var testDescription: String { rawValue }

    /// Runs the body with a store that is empty and goes afterwards.
    func withStore(_ body: (any CentralStore) async throws -> Void) async throws {
        switch self {
        case .sqlite:
            let folder = "/tmp/holdfast-store-\(UInt64.random(in: 0 ... .max))"
            try #require(mkdir(folder, 0o700) == 0)
            defer {
                for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] { unlink("\(folder)/\(name)") }
                rmdir(folder)
            }
            let store = try SQLiteStore(path: folder + "/store.sqlite")
            try await body(store)
            try store.close()
        }
    }
}

let now: Int64 = 1_763_700_000_000
let spool = String(repeating: "a", count: 32)

extension CentralStore {
    /// A device that has enrolled by a token of its own.
    func makeDevice(_ number: UInt8 = 1, needsApproval: Bool = false) async throws -> DeviceIdentity {
        let secret = [UInt8](repeating: number, count: 32)
        try await add(
            StoredEnrolmentToken(
                id: "e-\(number)", hash: secret, createdAt: now, expiresAt: now + 1000, uses: 1,
                needsApproval: needsApproval))
        return try await enrol(enrolment(number), at: now).identity
    }
}

/// Key and secret are made of the number.
func enrolment(_ number: UInt8, secret: UInt8? = nil) -> Enrolment {
    Enrolment(
        id: "00000000000000" + (number < 10 ? "0\(number)" : "\(number)"),
        publicKey: [UInt8](repeating: number, count: 32),
        secretHash: [UInt8](repeating: secret ?? number, count: 32), name: "device-\(number)", facts: ["n": 1])
}

/// Readings of one series with these numbers; the value is the number, and so is the checksum.
func batch(
    _ numbers: ClosedRange<UInt64>, after: UInt32? = nil, in spool: String = spool, name: String = "fps",
    sent: Int64 = now
) -> TelemetryBatch {
    var batch = TelemetryBatch(
        header: BatchHeader(
            spool: spool, queue: .readings, first: numbers.lowerBound, last: numbers.upperBound, after: after,
            sent: sent))
    batch.boots = ["3e1a99d04c5b"]
    batch.series = [SeriesName(worker: "camera", name: name)]
    for number in numbers {
        batch.values.append(
            .init(
                sequence: number, time: now + Int64(number) * 1000, monotonic: Int64(number), boot: 0, series: 0,
                isRepeat: false, value: .int(Int64(number))))
        batch.checksums.append(.init(sequence: number, value: UInt32(number)))
    }
    return batch
}

/// One event, with this number.
func event(_ number: UInt64, _ kind: String, _ body: JSONObject, in spool: String = spool) -> TelemetryBatch {
    var batch = TelemetryBatch(
        header: BatchHeader(spool: spool, queue: .events, first: number, last: number, after: nil, sent: now))
    batch.boots = ["3e1a99d04c5b"]
    batch.events = [
        .init(
            sequence: number, time: now, monotonic: 1, boot: 0, isRepeat: false, kind: kind,
            worker: body["w"]?.stringValue, body: body)
    ]
    batch.checksums = [.init(sequence: number, value: UInt32(number))]
    return batch
}

func all(_ device: DeviceIdentity, name: String? = nil) -> ReadingsQuery {
    ReadingsQuery(series: SeriesFilter(device: device.id, name: name), from: 0, to: .max, limit: 100_000)
}
