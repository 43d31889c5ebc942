package import CentralStore
import CChecksum
import ControlProtocol
import FleetAPI

/// Reads a batch of telemetry: lines of JSON, the header first (docs/fleet-protocol.md, Telemetry).
package struct BatchReader {
    /// What a line is refused for. Other lines of the batch may be good.
    package struct Refusal: Error, Equatable, Sendable {
        /// The first is 1.
        package var line: Int
        package var reason: String
    }

    package static let valuesOfRecord = 64
    package static let textBytes = 256
    package static let nameBytes = 128

    private var batch: TelemetryBatch
    private var next: UInt64
    private var line = 1
    private var series: [SeriesName: Int32] = [:]
    private var boots: [String: Int32] = [:]

    /// - Throws: `Refusal`; `FleetError` of the code `tooManyLines` when it is to be halved.
    package static func read(_ bytes: [UInt8]) throws -> TelemetryBatch {
        try bytes.withUnsafeBytes { buffer in
            var lines = Lines(buffer)
            guard let first = lines.next() else { throw Refusal(line: 1, reason: "the batch is empty") }
            let header: BatchHeader
            do {
                header = try BatchHeader(json: JSONValue.parse(first))
            } catch let error as JSONError {
                throw Refusal(line: 1, reason: error.description)
            }
            var reader = BatchReader(header)
            while let line = lines.next() { try reader.take(line) }
            return try reader.finish()
        }
    }

    private init(_ header: BatchHeader) {
        batch = TelemetryBatch(header: header)
        next = header.first
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
        line += 1
        guard line <= BatchLimits.lines else { throw FleetError.tooManyLines }
        guard next <= batch.header.last else { throw refusal("there are more records than the header says") }
        do {
            switch batch.header.queue {
            case .readings: try takeReading(bytes)
            case .events: try takeEvent(bytes)
            }
        } catch let error as JSONError {
            throw refusal(error.description)
        }
    }

    private func finish() throws -> TelemetryBatch {
        guard next == batch.header.last + 1 else {
            throw Refusal(
                line: line, reason: "the records end before the header's last number: record \(next) is missing")
        }
        return batch
    }

    private func refusal(_ reason: String) -> Refusal { Refusal(line: line, reason: reason) }

    private mutating func count(_ bytes: UnsafeRawBufferPointer) {
        batch.checksums.append(.init(sequence: next, value: hf_crc32c(0, bytes.baseAddress, bytes.count)))
        next += 1
    }

    // MARK: Gaps

    private mutating func takeGap(_ gap: JSONValue) throws {
        guard let ends = gap.arrayValue, ends.count == 2, let first = ends[0].intValue, let last = ends[1].intValue,
            first >= 1, UInt64(first) == next, last >= first, UInt64(last) <= batch.header.last
        else { throw refusal("a gap has to begin with the next number, \(next), and end within the batch") }
        batch.gaps.append(UInt64(first)...UInt64(last))
        next = UInt64(last) + 1
    }

    // MARK: Readings

    private mutating func takeReading(_ bytes: UnsafeRawBufferPointer) throws {
        let document = try JanssonDocument(bytes)
        if let gap = document["gap"] { return try takeGap(gap) }
        guard let worker = document.text("w", limit: Self.nameBytes) else {
            throw refusal("w: must be the worker's name, of \(Self.nameBytes) bytes at most")
        }
        guard let time = document.int("t"), let monotonic = document.int("m") else {
            throw refusal("t and m: must be whole numbers")
        }
        let boot = try boot(document.text("b", limit: 64))
        let isRepeat = document.isTrue("r")
        guard let count = document.count("v"), (1...Self.valuesOfRecord).contains(count) else {
            throw refusal("v: must be an object of 1 to \(Self.valuesOfRecord) values")
        }
        let sequence = next
        var failure: String?
        document.forEachValue(of: "v") { name, value in
            guard (1...Self.nameBytes).contains(name.utf8.count) else {
                failure = "v: a name has 1 to \(Self.nameBytes) bytes"
                return
            }
            guard let value else {
                failure = "v.\(name): must be a number, true, false, or text of \(Self.textBytes) bytes at most"
                return
            }
            let place = place(of: SeriesName(worker: worker, name: name))
            batch.values.append(
                .init(
                    sequence: sequence, time: time, monotonic: monotonic, boot: boot, series: place,
                    isRepeat: isRepeat, value: value))
        }
        if let failure { throw refusal(failure) }
        self.count(bytes)
    }

    private mutating func place(of name: SeriesName) -> Int32 {
        if let place = series[name] { return place }
        let place = Int32(batch.series.count)
        batch.series.append(name)
        series[name] = place
        return place
    }

    private mutating func boot(_ id: String?) throws -> Int32 {
        guard let id else { throw refusal("b: must be the begin of a boot id") }
        if let place = boots[id] { return place }
        let place = Int32(batch.boots.count)
        batch.boots.append(id)
        boots[id] = place
        return place
    }

    // MARK: Events

    private mutating func takeEvent(_ bytes: UnsafeRawBufferPointer) throws {
        let json = try JSONValue.parse(bytes, limits: Self.eventLimits)
        guard let object = json.objectValue else { throw refusal("must be an object") }
        if let gap = object["gap"] { return try takeGap(gap) }
        guard let kind = object["e"]?.stringValue, (1...64).contains(kind.utf8.count) else {
            throw refusal("e: must be the event's kind")
        }
        guard let time = object["t"]?.intValue, let monotonic = object["m"]?.intValue else {
            throw refusal("t and m: must be whole numbers")
        }
        let boot = try boot(object["b"]?.stringValue.flatMap { $0.utf8.count <= 64 ? $0 : nil })
        batch.events.append(
            .init(
                sequence: next, time: Int64(time), monotonic: Int64(monotonic), boot: boot,
                isRepeat: object["r"]?.boolValue ?? false, kind: kind, worker: object["w"]?.stringValue, body: object))
        count(bytes)
    }

    private static let eventLimits = JSONLimits(maximumBytes: 1 << 20, maximumDepth: 32)
}

extension FleetError {
    /// More lines than `BatchLimits.lines`.
    static let tooManyLines = FleetError(
        .tooManyLines, "a batch has at most \(BatchLimits.lines) lines: send less at once")
}

/// The lines of a text; the last may end without a line feed.
private struct Lines: IteratorProtocol {
    private let buffer: UnsafeRawBufferPointer
    private var offset = 0

    init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    mutating func next() -> UnsafeRawBufferPointer? {
        guard offset < buffer.count else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count
        offset += end + 1
        return UnsafeRawBufferPointer(rebasing: rest[..<end])
    }
}
