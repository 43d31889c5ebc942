import CChecksum
import ControlProtocol
import Delivery
import FleetAPI
import Spool

/// A batch as it goes to central (docs/fleet-protocol.md, "Telemetry").
struct TelemetryBatch {
    var content: QueueProgress.Batch
    var compressed: [UInt8]
    /// When its first record was written, in milliseconds since 1970.
    var writtenAt: Int64?
    /// The CRC-32C of its last number's record; `nil` when that is a gap.
    var lastChecksum: UInt32?
    /// The number on each line, from the second line on.
    var numbers: [UInt64]

    /// - Parameters:
    ///   - after: the CRC-32C of the record before the first, where it is known.
    ///   - sent: the device's clock, in milliseconds since 1970.
    /// - Returns: `nil` when there is nothing to send, or no memory.
    init?(
        _ items: [SpoolItem], _ plan: QueueProgress.Plan, spool: SpoolID, queue: BatchHeader.Queue, after: UInt32?,
        sent: Int64
    ) {
        let parts = Self.parts(items, plan)
        guard let last = parts.last?.lastSequence, var gzip = Gzip() else { return nil }
        let header = BatchHeader(
            spool: spool.description, queue: queue, first: plan.after + 1, last: last, after: after, sent: sent)
        let newline = UInt8(ascii: "\n")
        gzip.add(header.json.serialised() + [newline])
        content = QueueProgress.Batch(first: plan.after + 1, last: last, records: 0, lastRecord: nil, bytes: 0)
        numbers = []
        for part in parts {
            switch part {
            case .record(let record):
                gzip.add(record.bytes + [newline])
                content.records += 1
                content.lastRecord = record.sequence
                content.bytes += record.bytes.count
                if writtenAt == nil { writtenAt = record.writtenAt }
                lastChecksum = Self.checksum(record.bytes)
            case .gap(let range):
                gzip.add(Array("{\"gap\": [\(range.lowerBound), \(range.upperBound)]}\n".utf8))
                lastChecksum = nil
            }
            numbers.append(part.lastSequence)
        }
        guard let bytes = gzip.end() else { return nil }
        compressed = bytes
    }

    /// CRC-32C.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { hf_crc32c(0, $0.baseAddress, $0.count) }
    }

    /// The items as far as they belong to the batch, with gaps for the records that central will not take.
    private static func parts(_ items: [SpoolItem], _ plan: QueueProgress.Plan) -> [SpoolItem] {
        var parts: [SpoolItem] = []
        func addGap(_ range: ClosedRange<UInt64>) {
            if case .gap(let former)? = parts.last {
                parts[parts.count - 1] = .gap(former.lowerBound...range.upperBound)
            } else {
                parts.append(.gap(range))
            }
        }
        for item in items {
            switch item {
            case .record(let record):
                if let through = plan.through, record.sequence > through { return parts }
                if plan.omits.contains(record.sequence) {
                    addGap(record.sequence...record.sequence)
                } else {
                    parts.append(item)
                }
            case .gap(let range):
                let end = min(range.upperBound, plan.through ?? .max)
                if range.lowerBound > end { return parts }
                addGap(range.lowerBound...end)
            }
        }
        return parts
    }

    /// The record on a line, the header being the first; `nil` when there is none.
    func number(onLine line: Int) -> UInt64? {
        numbers.indices.contains(line - 2) ? numbers[line - 2] : nil
    }
}
