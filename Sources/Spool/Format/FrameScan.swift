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
}
