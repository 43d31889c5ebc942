/// The valid frames in a stretch of bytes, in order, with whatever lies between them left out.
struct FrameScan {
    private(set) var frames: [(offset: Int, frame: Frame)] = []
    /// Whether there was something that is no frame.
    private(set) var hasDamage = false

    /// - Parameter start: where the first frame ought to begin.
    init(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) {
        var offset = start
        while offset + Frame.headerSize <= bytes.count {
            // Numbers only ever rise; what does not is left of something older.
            if let frame = Frame(at: offset, in: bytes), frame.first > (frames.last?.frame.last ?? 0) {
                frames.append((offset, frame))
                offset += frame.size
            } else {
                hasDamage = true
                offset += 1
            }
        }
        if offset < bytes.count { hasDamage = true }
    }

    /// How many records may have been in bytes that are no valid frames any more: their numbers may be known to central. As
    /// many as their headers say where those can be believed, else one for each byte; none in zeroes, which a file system
    /// leaves where it never wrote.
    static func mostRecords(from start: Int, in bytes: UnsafeRawBufferPointer, after last: UInt64) -> UInt64 {
        var (offset, records): (Int, UInt64) = (start, 0)
        while offset < bytes.count {
            let rest = bytes.count - offset
            guard let size = Frame.claimedSize(at: offset, in: bytes),
                bytes.number(at: offset + 8, as: UInt64.self) == last + records + 1,
                case let count = UInt64(bytes.number(at: offset + 16, as: UInt32.self)), count > 0,
                count <= UInt64(size - Frame.headerSize)
            else {
                let isBlank = !bytes[offset...].contains { $0 != 0 }
                return isBlank ? records : records + UInt64(rest)
            }
            records += count
            offset += size
        }
        return records
    }
}
