import LinuxSystem

/// Opening, whatever the last process, power cut or disk has left.
extension Spool {
    /// - Returns: the last number that is taken.
    func recover(at now: Int64) throws(SpoolError) -> UInt64 {
        let fresh = cursor
        let known = readCursor()
        if let known { cursor = known }
        foundCursor = known
        try findSegments(isNew: known == nil, at: now)
        let end = findEnd()
        if known == nil, end.last == 0 {
            // Nothing is there that could be handed out: another id, under which all numbers are free.
            cursor = fresh
            clear(end, isSafe: true)
        }
        cursor.usedUp = max(cursor.usedUp, end.mostTaken)
        if known == nil {
            if let first = segments.first?.first { cursor.acknowledged = first - 1 }
            // Where it fails the next sync does, and until then nothing is handed out.
            try? makeCursor()
        }
        written = max(end.last, cursor.acknowledged, cursor.usedUp)
        countMissing(after: end.last)
        clear(end, isSafe: false)
        if settings.whenFull == .dropOldest { makeRoom(for: 0) }
        let last = written
        try? sync(at: now)
        return last
    }

    /// Takes away what is no frame, once the numbers that it may have had are on the disk: it is the only witness of them.
    /// What cannot be taken away is damage in the middle, to be passed over.
    private func clear(_ end: End, isSafe: Bool) {
        guard !end.unreadable.isEmpty || end.excess != nil else { return }
        let isSafe = isSafe || (try? saveCursor()) != nil
        for segment in end.unreadable where !isSafe || (try? files.remove(segment.name)) == nil {
            segments.append(segment)
        }
        areNamesDirty = true
        guard let excess = end.excess, let index = segments.firstIndex(where: { $0.first == excess.first }) else {
            return
        }
        if !isSafe || (try? files.cut(excess.name, to: segments[index].size)) == nil { segments[index] = excess }
    }

    /// Numbers that were given out, and whose records are not there.
    private func countMissing(after found: UInt64) {
        if written > found { missingAtOpening = found + 1...written }
        let known = max(found, cursor.acknowledged, cursor.missedThrough)
        guard written > known else { return }
        cursor.lost += written - known
        cursor.missedThrough = written
        isCursorDirty = true
    }

    private func readCursor() -> CursorSlot? {
        var slots: [CursorSlot] = []
        for generation: UInt64 in 0...1 {
            guard
                let bytes = try? read(CursorSlot.file, at: CursorSlot.offset(generation), CursorSlot.size),
                let slot = bytes.withUnsafeBytes({ CursorSlot($0) })
            else { continue }
            slots.append(slot)
        }
        return slots.max { $0.generation < $1.generation }
    }

    private func findSegments(isNew: Bool, at now: Int64) throws(SpoolError) {
        var found: [(segment: Segment, id: SpoolID?)] = []
        for name in try system({ () throws(SystemError) in try files.names() }) {
            guard let first = SegmentHeader.first(ofName: name), first > 0 else { continue }
            let size = try system { () throws(SystemError) in try files.size(of: name) }
            var segment = Segment(first: first, createdAt: now, size: size, syncedSize: 0)
            var id: SpoolID?
            let bytes = (try? read(name, at: 0, SegmentHeader.size)) ?? []
            switch bytes.withUnsafeBytes({ SegmentHeader.read($0) }) {
            case .newer(let version): throw .unknownVersion(file: name, version: version)
            case .valid(let header): (segment.createdAt, id) = (header.createdAt, header.id)
            case .damaged: break  // the name says where it begins, and each frame has its own numbers
            }
            found.append((segment, id))
        }
        found.sort { $0.segment.first < $1.segment.first }
        if isNew, let id = found.last(where: { $0.id != nil })?.id { cursor.id = id }
        for entry in found {
            if let id = entry.id, id != cursor.id {
                // Another spool's, put here by somebody.
                try system { () throws(SystemError) in try files.remove(entry.segment.name) }
                continue
            }
            segments.append(entry.segment)
        }
    }

    /// Where the records end.
    private struct End {
        /// The number of the last record.
        var last: UInt64 = 0
        /// The last number that something damaged can have had.
        var mostTaken: UInt64 = 0
        /// Segments without any valid frame, torn when they were begun or damaged all over.
        var unreadable: [Segment] = []
        /// The segment that has something behind its last valid frame, with all of it.
        var excess: Segment?
    }

    /// Reads the last segment through, and leaves out what is no frame.
    private func findEnd() -> End {
        var end = End()
        while let active = segments.last {
            let bytes = (try? read(active.name, at: 0, active.size)) ?? []
            let scan = bytes.withUnsafeBytes { FrameScan($0, from: SegmentHeader.size) }
            let size = scan.frames.last.map { $0.offset + $0.frame.size } ?? SegmentHeader.size
            let last = scan.frames.last?.frame.last ?? active.first - 1
            let damaged = bytes.withUnsafeBytes { FrameScan.mostRecords(from: size, in: $0, after: last) }
            end.mostTaken = max(end.mostTaken, last + damaged)
            guard scan.frames.isEmpty else {
                if size < active.size { end.excess = active }
                segments[segments.count - 1].size = size
                end.last = last
                return end
            }
            segments.removeLast()
            end.unreadable.insert(active, at: 0)
        }
        return end
    }

    // MARK: Bytes

    /// Up to so many bytes; fewer at the end of the file.
    func read(_ name: String, at offset: Int, _ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try files.read(name, at: offset, into: buffer) }
        }
        bytes.removeLast(count - (try result.get()))
        return bytes
    }

    func system<Value>(_ body: () throws(SystemError) -> Value) throws(SpoolError) -> Value {
        do throws(SystemError) { return try body() } catch { throw .system(error) }
    }
}
