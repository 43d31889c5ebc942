import LinuxSystem

/// Records on disk until central has them: appended in order, handed out in order, removed once acknowledged.
/// docs/spool-format.md says what is promised. Blocks for the disk. One thread.
package final class Spool {
    /// The records from one number on, up to the next segment.
    struct Segment {
        var first: UInt64
        /// By the device's clock, in milliseconds since 1970.
        var createdAt: Int64
        var size: Int
        /// Bytes that survive a power cut.
        var syncedSize: Int
        /// A sync has failed: the kernel may have dropped what it could not write, and call the next one a success.
        var isSuspect = false

        var name: String { SegmentHeader.name(first) }
        var isEmpty: Bool { size <= SegmentHeader.size }
    }

    /// Records gathered in memory before they are written at the latest, in bytes.
    private static let gathered = 64 * 1024
    static let cursorSize = 640

    package var settings: SpoolSettings
    let files: any SpoolFiles
    var cursor: CursorSlot
    /// In order; the last one grows.
    var segments: [Segment] = []
    private var frame = FrameBuilder(first: 1)
    /// The last record that is in a file.
    var written: UInt64 = 0
    /// The last record that survives a power cut, and all before it.
    var synced: UInt64 = 0
    /// True at first, as the next one is: the process before may not have come to syncing it.
    var isCursorDirty = true
    var areNamesDirty = true
    /// The cursor as it was found when the spool was opened, until the disk is known to have it.
    var foundCursor: CursorSlot?
    /// Of the last cursor that the disk is known to have.
    private var savedGeneration: UInt64 = 0
    /// Whether there is a cursor's file, and whether a power cut leaves it in the folder.
    private var hasCursor = false
    private var isCursorNamed = false
    /// Where the next read most likely begins.
    var reading: ReadPosition?
    /// Numbers that had no record when the spool was opened, and are counted already.
    var missingAtOpening: ClosedRange<UInt64>?
    /// Up to where damage has been counted.
    var lostThrough: UInt64 = 0
    /// Appends that were refused since the spool was opened.
    package internal(set) var refused: UInt64 = 0

    package var id: SpoolID { cursor.id }
    /// Central has everything up to this number.
    package var acknowledged: UInt64 { cursor.acknowledged }
    /// Of all files, in bytes.
    var used: Int { segments.reduce(Spool.cursorSize) { $0 + $1.size } }

    /// Opens a spool, whatever is in the folder, or makes one.
    /// - Parameter now: in milliseconds since 1970.
    package init(
        _ files: any SpoolFiles, _ settings: SpoolSettings, at now: Int64,
        using random: inout some RandomNumberGenerator
    ) throws(SpoolError) {
        self.files = files
        self.settings = settings
        cursor = CursorSlot(id: SpoolID(using: &random))
        let last = try recover(at: now)
        written = last
        frame = FrameBuilder(first: last + 1)
    }

    // MARK: Appending

    /// Takes a record; it is written with the others that come before the next `write` or `sync`.
    /// - Returns: its number.
    @discardableResult
    package func append(_ record: UnsafeRawBufferPointer, at now: Int64) throws(SpoolError) -> UInt64 {
        guard record.count <= settings.largestRecord else {
            throw .recordTooLarge(bytes: record.count, limit: settings.largestRecord)
        }
        if settings.whenFull == .refuse { try checkRoom(for: record.count) }
        if frame.bytes.count >= Spool.gathered || !frame.hasRoom(for: record.count) { try write(at: now) }
        frame.add(record)
        return frame.last
    }

    @discardableResult
    package func append(_ record: [UInt8], at now: Int64) throws(SpoolError) -> UInt64 {
        // A typed throw does not come through withUnsafeBytes' closure.
        let result = record.withUnsafeBytes { bytes in
            Result { () throws(SpoolError) in try append(bytes, at: now) }
        }
        return try result.get()
    }

    private func checkRoom(for length: Int) throws(SpoolError) {
        let overhead = SegmentHeader.size + Frame.headerSize + 4
        guard used + frame.bytes.count + length + overhead <= settings.quota else {
            refused += 1
            throw .full(quota: settings.quota)
        }
    }

    /// Hands what was appended to the kernel: it survives the end of the process.
    package func write(at now: Int64) throws(SpoolError) {
        guard !frame.isEmpty else { return }
        frame.seal(writtenAt: now)
        if settings.whenFull == .dropOldest { makeRoom(for: frame.bytes.count + SegmentHeader.size) }
        var hasBegunAnew = false
        while true {
            do throws(SystemError) {
                return try writeFrame(at: now, anew: hasBegunAnew)
            } catch {
                if error.isNoSpace {
                    guard settings.whenFull == .dropOldest else { throw .system(error) }
                    if dropOldestSegment() { continue }
                    // Nothing is left to give: these are dropped, like others before them.
                    cursor.dropped += UInt64(frame.count)
                    isCursorDirty = true
                    frame = FrameBuilder(first: frame.last + 1)
                    return
                }
                // A place on the disk that takes nothing: try another one.
                guard !hasBegunAnew else { throw .system(error) }
                hasBegunAnew = true
            }
        }
    }

    private func writeFrame(at now: Int64, anew: Bool) throws(SystemError) {
        if anew || segments.last.map({ !$0.isEmpty && $0.size + frame.bytes.count > settings.segmentSize }) ?? true {
            try beginSegment(at: frame.first, now)
        }
        let active = segments.count - 1
        do throws(SystemError) {
            try write(frame.bytes, to: segments[active].name, at: segments[active].size)
        } catch {
            // What there was room for takes some away.
            try? files.cut(segments[active].name, to: segments[active].size)
            throw error
        }
        segments[active].size += frame.bytes.count
        written = frame.last
        frame = FrameBuilder(first: written + 1)
    }

    func beginSegment(at first: UInt64, _ now: Int64) throws(SystemError) {
        if let active = segments.last, active.isEmpty {
            segments.removeLast()
            try files.remove(active.name)
        }
        let header = SegmentHeader(id: id, first: first, createdAt: now).bytes
        let segment = Segment(first: first, createdAt: now, size: header.count, syncedSize: 0)
        do throws(SystemError) {
            try write(header, to: segment.name, at: 0)
        } catch {
            try? files.remove(segment.name)
            throw error
        }
        segments.append(segment)
        areNamesDirty = true
        cursor.usedUp = max(cursor.usedUp, first - 1)
        isCursorDirty = true
    }

    func write(_ bytes: [UInt8], to name: String, at offset: Int) throws(SystemError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemError) in try files.write(name, at: offset, buffer) }
        }
        try result.get()
    }

    // MARK: Syncing

    /// Everything that was appended survives a power cut afterwards, and may be handed out.
    package func sync(at now: Int64) throws(SpoolError) {
        try write(at: now)
        do throws(SystemError) {
            try syncSegments()
            if areNamesDirty { try syncNames() }
            synced = written
            if isCursorDirty { try saveCursor() }
        } catch {
            throw .system(error)
        }
    }

    private func syncSegments() throws(SystemError) {
        for index in segments.indices where segments[index].syncedSize < segments[index].size {
            if segments[index].isSuspect { try writeAgain(index) }
            do throws(SystemError) {
                try files.sync(segments[index].name)
                segments[index].syncedSize = segments[index].size
            } catch {
                segments[index].isSuspect = true
                throw error
            }
        }
    }

    /// Has the kernel write what it may have dropped.
    private func writeAgain(_ index: Int) throws(SystemError) {
        let segment = segments[index]
        let bytes = try read(segment.name, at: segment.syncedSize, segment.size - segment.syncedSize)
        try write(bytes, to: segment.name, at: segment.syncedSize)
        segments[index].isSuspect = false
    }

    func saveCursor() throws(SystemError) {
        if let found = foundCursor {
            // The disk may not have it yet; the next one goes over the slot before it.
            try writeCursor(found)
            try files.sync(CursorSlot.file)
            savedGeneration = found.generation
            foundCursor = nil
        }
        // After a failure the same slot again: the other one is the last that the disk is known to have.
        cursor.generation = savedGeneration + 1
        try writeCursor(cursor)
        try files.sync(CursorSlot.file)
        if !isCursorNamed { try syncNames() }
        savedGeneration = cursor.generation
        isCursorDirty = false
    }

    private func writeCursor(_ slot: CursorSlot) throws(SystemError) {
        try write(slot.bytes, to: CursorSlot.file, at: CursorSlot.offset(slot.generation))
        hasCursor = true
    }

    /// Both slots at once, so that later writes need no space.
    func makeCursor() throws(SystemError) {
        for generation: UInt64 in 0...1 {
            cursor.generation = generation
            try writeCursor(cursor)
        }
        try files.sync(CursorSlot.file)
        savedGeneration = 1
    }

    private func syncNames() throws(SystemError) {
        try files.syncNames()
        areNamesDirty = false
        isCursorNamed = hasCursor
    }

    // MARK: Removing

    /// Central has everything up to this number. Segments of which it has everything are removed.
    package func acknowledge(through sequence: UInt64) throws(SpoolError) {
        let reached = min(sequence, synced)
        guard reached > cursor.acknowledged else { return }
        cursor.acknowledged = reached
        isCursorDirty = true
        let done = segments.indices.dropLast().prefix { segments[$0 + 1].first - 1 <= reached }.count
        guard done > 0 else { return }
        do throws(SystemError) {
            try saveCursor()
            for _ in 0..<done { try removeOldestSegment() }
        } catch {
            throw .system(error)
        }
    }

    /// Drops the segments whose records are all older than the time to live.
    /// - Parameter now: in milliseconds since 1970, by a clock that can be believed.
    package func expire(at now: Int64) throws(SpoolError) {
        guard let timeToLive = settings.timeToLive else { return }
        let limit = now - Int64(timeToLive.components.seconds) * 1000
        do throws(SystemError) {
            // A segment ends when the next one begins; so must the one that grows, some time.
            if let active = segments.last, !active.isEmpty, active.createdAt < limit, frame.isEmpty {
                try beginSegment(at: written + 1, now)
            }
            while segments.count > 1, segments[1].createdAt < limit {
                cursor.expired += unacknowledged(in: 0)
                isCursorDirty = true
                try removeOldestSegment()
            }
        } catch {
            throw .system(error)
        }
    }

    func makeRoom(for bytes: Int) {
        while used + bytes > settings.quota, dropOldestSegment() {}
    }

    /// - Returns: whether there was one, and it is gone.
    private func dropOldestSegment() -> Bool {
        guard let oldest = segments.first, segments.count > 1 || !oldest.isEmpty else { return false }
        let dropped = unacknowledged(in: 0)
        cursor.usedUp = max(cursor.usedUp, last(in: 0))
        cursor.dropped += dropped
        isCursorDirty = true
        do throws(SystemError) {
            try saveCursor()
            try removeOldestSegment()
            return true
        } catch {
            cursor.dropped -= dropped
            return false
        }
    }

    private func removeOldestSegment() throws(SystemError) {
        do throws(SystemError) {
            try files.remove(segments[0].name)
        } catch {
            guard error.isNotFound else { throw error }
        }
        segments.removeFirst()
        areNamesDirty = true
    }

    /// The last number that the segment can have.
    func last(in index: Int) -> UInt64 {
        index + 1 < segments.count ? segments[index + 1].first - 1 : written
    }

    private func unacknowledged(in index: Int) -> UInt64 {
        let (last, before) = (last(in: index), max(segments[index].first - 1, acknowledged))
        return last > before ? last - before : 0
    }
}
