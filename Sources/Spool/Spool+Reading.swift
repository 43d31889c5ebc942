import LinuxSystem

/// Where a reader of a segment goes on.
struct ReadPosition {
    var segment: UInt64
    var offset: Int
    /// The last number before the offset.
    var passed: UInt64
}

/// Handing out, in the order of the numbers.
extension Spool {
    /// What comes after a number, records and gaps, as far as it is synced.
    /// - Parameters:
    ///   - position: the number of the last item that the caller has; `acknowledged` to begin with.
    ///   - maximumBytes: of records; the first one comes whatever its size.
    package func read(
        after position: UInt64, maximumBytes: Int, maximumRecords: Int = .max
    ) throws(SpoolError) -> [SpoolItem] {
        var batch = Batch(after: position, maximumBytes: maximumBytes, maximumRecords: maximumRecords)
        while !batch.isFull, batch.last < synced {
            guard let index = segments.lastIndex(where: { $0.first <= batch.last + 1 }) else {
                // Dropped, expired, or never there.
                batch.addGap(upTo: min(segments.first.map { $0.first - 1 } ?? synced, synced))
                continue
            }
            read(index, into: &batch)
        }
        return batch.items
    }

    private struct Batch {
        var items: [SpoolItem] = []
        var last: UInt64
        private var bytes = 0
        private var records = 0
        private let maximumBytes: Int
        private let maximumRecords: Int

        init(after position: UInt64, maximumBytes: Int, maximumRecords: Int) {
            last = position
            self.maximumBytes = maximumBytes
            self.maximumRecords = maximumRecords
        }

        var isFull: Bool { records >= maximumRecords || bytes >= maximumBytes }

        /// - Returns: whether it was taken.
        mutating func add(_ record: SpoolRecord) -> Bool {
            guard records == 0 || bytes + record.bytes.count <= maximumBytes, records < maximumRecords else {
                bytes = max(bytes, maximumBytes)
                return false
            }
            items.append(.record(record))
            (last, bytes, records) = (record.sequence, bytes + record.bytes.count, records + 1)
            return true
        }

        mutating func addGap(upTo end: UInt64) {
            guard end > last else { return }
            if case .gap(let range)? = items.last {
                items[items.count - 1] = .gap(range.lowerBound...end)
            } else {
                items.append(.gap(last + 1...end))
            }
            last = end
        }
    }

    /// Reads on in one segment, to its end or until the batch is full.
    private func read(_ index: Int, into batch: inout Batch) {
        let segment = segments[index]
        let end = min(last(in: index), synced)
        var position = ReadPosition(segment: segment.first, offset: SegmentHeader.size, passed: segment.first - 1)
        if let reading, reading.segment == segment.first, reading.passed <= batch.last { position = reading }
        while !batch.isFull, batch.last < end {
            guard let (frame, bytes) = frame(at: position.offset, in: segment) else {
                return readDamaged(segment, from: position.offset, through: end, into: &batch)
            }
            if frame.last > batch.last {
                take(frame, bytes, into: &batch)
                if batch.last < frame.last { break }
            }
            position = ReadPosition(
                segment: segment.first, offset: position.offset + frame.size, passed: frame.last)
        }
        reading = position
    }

    private func take(_ frame: Frame, _ bytes: [UInt8], into batch: inout Batch) {
        if frame.first > batch.last + 1 { batch.addGap(upTo: frame.first - 1) }
        let records = bytes.withUnsafeBytes { frame.records($0) }
        for record in records where record.sequence > batch.last {
            guard record.sequence <= synced, batch.add(record) else { return }
        }
    }

    private func frame(at offset: Int, in segment: Segment) -> (Frame, [UInt8])? {
        guard let header = try? read(segment.name, at: offset, Frame.headerSize),
            let size = header.withUnsafeBytes({ Frame.claimedSize(at: 0, in: $0) }), offset + size <= segment.size,
            let bytes = try? read(segment.name, at: offset, size),
            let frame = bytes.withUnsafeBytes({ Frame(at: 0, in: $0) })
        else { return nil }
        return (frame, bytes)
    }

    /// What lies behind a place that is no frame: the valid frames, and gaps for the rest.
    private func readDamaged(_ segment: Segment, from offset: Int, through end: UInt64, into batch: inout Batch) {
        let bytes = (try? read(segment.name, at: offset, max(0, segment.size - offset))) ?? []
        bytes.withUnsafeBytes { bytes in
            for (place, frame) in FrameScan(bytes).frames where frame.last > batch.last && frame.first <= end {
                let former = batch.last
                let ofFrame = Array(bytes[place..<place + frame.size])
                take(frame, ofFrame, into: &batch)
                countLost(former + 1, frame.first)
                if batch.isFull { return }
            }
            guard !batch.isFull else { return }
            let former = batch.last
            batch.addGap(upTo: end)
            countLost(former + 1, end + 1)
        }
    }

    /// Numbers from one up to another are lost to damage; each is counted once.
    private func countLost(_ first: UInt64, _ next: UInt64) {
        let begin = max(first, lostThrough + 1, acknowledged + 1)
        guard next > begin else { return }
        let lost = begin...next - 1
        let counted = missingAtOpening.map { lost.overlaps($0) ? lost.clamped(to: $0).count : 0 } ?? 0
        cursor.lost += UInt64(lost.count - counted)
        lostThrough = next - 1
        isCursorDirty = true
    }
}
