package import LinuxSystem

/// What lies in a spool's folder, looked at without touching it: the spool may be in use.
package struct SpoolInspection: Sendable {
    package struct Segment: Equatable, Sendable {
        package var name: String
        /// In bytes.
        package var size: Int
        package var hasValidHeader: Bool
        /// By the device's clock, in milliseconds since 1970.
        package var createdAt: Int64?
        package var records: Int
        /// Numbers of its first and last record.
        package var first: UInt64?
        package var last: UInt64?
        /// Bytes that are no valid frames.
        package var damagedBytes: Int
    }

    /// `nil` where the cursor is missing or damaged.
    package private(set) var cursor: Cursor?
    package private(set) var segments: [Segment] = []
    /// Numbers between the first and the last record for which there is none, and which central does not have.
    package private(set) var gaps: [ClosedRange<UInt64>] = []
    /// In a person's words; empty for a spool in order.
    package private(set) var problems: [String] = []

    package struct Cursor: Equatable, Sendable {
        package var id: SpoolID
        package var acknowledged: UInt64
        package var dropped: UInt64
        package var expired: UInt64
        package var lost: UInt64
    }

    package var used: Int { segments.reduce(cursor == nil ? 0 : Spool.cursorSize) { $0 + $1.size } }
    package var records: Int { segments.reduce(0) { $0 + $1.records } }
    package var last: UInt64? { segments.compactMap(\.last).max() }
    /// Records that central does not have.
    package private(set) var waiting = 0

    /// Reads the whole folder.
    /// - Parameter visit: called with each record, in the order of the numbers.
    package init(_ files: some SpoolFiles, _ visit: (SpoolRecord) -> Void = { _ in }) throws(SystemError) {
        let names = try files.names()
        readCursor(files)
        if cursor == nil {
            problems.append(
                names.contains(CursorSlot.file)
                    ? "the cursor is damaged: what central has already may be sent again"
                    : "there is no cursor: nothing was stored here yet, or it was removed")
        }
        let acknowledged = cursor?.acknowledged ?? 0
        var reached: UInt64?
        for name in names.compactMap({ SegmentHeader.first(ofName: $0) }).sorted().map(SegmentHeader.name) {
            let bytes = try Self.content(of: name, files)
            let scan = bytes.withUnsafeBytes { FrameScan($0, from: SegmentHeader.size) }
            segments.append(segment(name, bytes, scan))
            for (offset, frame) in scan.frames where frame.last > reached ?? 0 {
                if let reached, frame.first > reached + 1, frame.first > acknowledged + 1 {
                    gaps.append(max(reached, acknowledged) + 1...frame.first - 1)
                }
                let records = bytes.withUnsafeBytes { bytes in
                    frame.records(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + frame.size]))
                }
                waiting += records.count { $0.sequence > acknowledged }
                records.forEach(visit)
                reached = frame.last
            }
        }
    }

    private mutating func segment(_ name: String, _ bytes: [UInt8], _ scan: FrameScan) -> Segment {
        let frames = scan.frames.map(\.frame)
        let valid = frames.reduce(0) { $0 + $1.size }
        var segment = Segment(
            name: name, size: bytes.count, hasValidHeader: false, records: frames.reduce(0) { $0 + $1.count },
            first: frames.first?.first, last: frames.last?.last,
            damagedBytes: max(0, bytes.count - SegmentHeader.size - valid))
        switch bytes.withUnsafeBytes({ SegmentHeader.read($0) }) {
        case .valid(let header):
            (segment.hasValidHeader, segment.createdAt) = (true, header.createdAt)
            if let cursor, header.id != cursor.id { problems.append("\(name) belongs to another spool, \(header.id)") }
        case .damaged: problems.append("\(name) has a damaged header; its records are not concerned")
        case .newer(let version): problems.append("\(name) has version \(version) of the format, which is newer")
        }
        if segment.damagedBytes > 0 {
            problems.append("\(name) has \(segment.damagedBytes) bytes that are no records (a torn end, or damage)")
        }
        return segment
    }

    private mutating func readCursor(_ files: some SpoolFiles) {
        var newest: CursorSlot?
        for generation: UInt64 in 0...1 {
            let bytes = (try? Self.read(files, CursorSlot.file, CursorSlot.offset(generation), CursorSlot.size)) ?? []
            guard let slot = bytes.withUnsafeBytes({ CursorSlot($0) }) else { continue }
            if slot.generation >= newest?.generation ?? 0 { newest = slot }
        }
        cursor = newest.map {
            Cursor(
                id: $0.id, acknowledged: $0.acknowledged, dropped: $0.dropped, expired: $0.expired, lost: $0.lost)
        }
    }

    private static func content(of name: String, _ files: some SpoolFiles) throws(SystemError) -> [UInt8] {
        try read(files, name, 0, try files.size(of: name))
    }

    private static func read(
        _ files: some SpoolFiles, _ name: String, _ offset: Int, _ count: Int
    ) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try files.read(name, at: offset, into: buffer) }
        }
        bytes.removeLast(count - (try result.get()))
        return bytes
    }
}
