import LinuxSystem

/// Opening, whatever the last process, power cut or disk has left.
extension Spool {
    /// - Returns: the last number that is taken.
    func recover(at now: Int64) throws(SpoolError) -> UInt64 {
        let known = readCursor()
        if let known { cursor = known }
        try findSegments(isNew: known == nil, at: now)
        let found = try findEnd()
        if known == nil {
            if let first = segments.first?.first { cursor.acknowledged = first - 1 }
            cursor.usedUp = found
            try system { () throws(SystemError) in try makeCursor() }
        }
        written = max(found, cursor.acknowledged, cursor.usedUp)
        countMissing(after: found)
        if settings.whenFull == .dropOldest { makeRoom(for: 0) }
        let last = written
        // Where it fails nothing is handed out, until a later sync succeeds.
        try? sync(at: now)
        return last
    }

    /// Numbers that were given out, and whose records are not there.
    private func countMissing(after found: UInt64) {
        let known = max(found, cursor.acknowledged, cursor.missedThrough)
        guard written > known else { return }
        cursor.lost += written - known
        cursor.missedThrough = written
        lostThrough = written
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

    /// Both slots at once, so that later writes need no space.
    private func makeCursor() throws(SystemError) {
        for generation: UInt64 in 0...1 {
            cursor.generation = generation
            try write(cursor.bytes, to: CursorSlot.file, at: CursorSlot.offset(generation))
        }
        try files.sync(CursorSlot.file)
        try files.syncNames()
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

    /// Reads the last segment through, and cuts off what is no frame.
    /// - Returns: the number of the last record.
    private func findEnd() throws(SpoolError) -> UInt64 {
        while let active = segments.last {
            let bytes = (try? read(active.name, at: 0, active.size)) ?? []
            let scan = bytes.withUnsafeBytes { FrameScan($0, from: SegmentHeader.size) }
            guard let last = scan.frames.last else {
                // Torn when it was begun, or damaged all over.
                segments.removeLast()
                try system { () throws(SystemError) in try files.remove(active.name) }
                areNamesDirty = true
                cursor.usedUp = max(cursor.usedUp, active.first - 1)
                continue
            }
            let end = last.offset + last.frame.size
            if end < active.size {
                try system { () throws(SystemError) in try files.cut(active.name, to: end) }
                segments[segments.count - 1].size = end
            }
            return last.frame.last
        }
        return 0
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
