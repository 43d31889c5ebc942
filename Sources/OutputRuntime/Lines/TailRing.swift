/// The last lines of one worker, for incidents and for whoever asks. One buffer of records that grows as needed up to
/// `maximumBytes`, and then overwrites its oldest lines; a worker that prints nothing costs nothing.
///
/// A record is its time (8 bytes), the process (4), the length (2) and the ending (1), then the line; it may wrap round the
/// end.
struct TailRing {
    struct Line: Equatable {
        /// Microseconds since 1970, when it was read.
        var time: Int64
        var bytes: [UInt8]
        var ending: LineSplitter.Ending
    }

    static let defaultMaximumBytes = 64 * 1024
    static let defaultMaximumLines = 1000

    /// Bytes of a record beside its line.
    static let headerBytes = 15
    private static let firstCapacity = 1024

    let maximumBytes: Int
    let maximumLines: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var used = 0
    private(set) var count = 0

    init(maximumBytes: Int = TailRing.defaultMaximumBytes, maximumLines: Int = TailRing.defaultMaximumLines) {
        precondition(maximumBytes > TailRing.headerBytes && maximumLines > 0, "a ring has room for a line")
        self.maximumBytes = maximumBytes
        self.maximumLines = maximumLines
    }

    /// Bytes of memory in use for lines.
    var capacity: Int { buffer.count }

    /// Adds a line, forgetting as many of the oldest as it takes. One longer than the ring loses its beginning.
    /// - Parameter process: whose line it is: a number that grows from one process to the next.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer, ending: LineSplitter.Ending, time: Int64, process: UInt32 = 0
    ) {
        let kept = bytes.suffix(min(maximumBytes - TailRing.headerBytes, Int(UInt16.max)))
        let needed = kept.count + TailRing.headerBytes
        while count >= maximumLines || used + needed > maximumBytes { removeOldest() }
        if used + needed > buffer.count { grow(toHold: used + needed) }
        withUnsafeBytes(of: time.littleEndian) { write($0[...]) }
        withUnsafeBytes(of: process.littleEndian) { write($0[...]) }
        withUnsafeBytes(of: UInt16(kept.count).littleEndian) { write($0[...]) }
        withUnsafeBytes(of: ending.rawValue) { write($0[...]) }
        write(kept)
        count += 1
    }

    /// The last lines, oldest first: at most so many, and at most so many bytes of text.
    /// - Parameter processes: of these only.
    func last(lines: Int, maximumBytes: Int = .max, of processes: ClosedRange<UInt32> = 0 ... .max) -> [Line] {
        // Lengths only lead forwards, so all records are walked.
        var offsets: [(offset: Int, length: Int)] = []
        offsets.reserveCapacity(count)
        var offset = 0
        for _ in 0..<count {
            let length = lineLength(at: offset)
            if processes.contains(UInt32(number(at: offset + 8, bytes: 4))) { offsets.append((offset, length)) }
            offset += TailRing.headerBytes + length
        }
        var taken = 0
        var bytes = 0
        for record in offsets.reversed() {
            bytes += record.length
            if taken == max(lines, 0) || bytes > maximumBytes { break }
            taken += 1
        }
        return offsets.suffix(taken).map { line(at: $0.offset, length: $0.length) }
    }

    private mutating func removeOldest() {
        let size = TailRing.headerBytes + lineLength(at: 0)
        start = (start + size) % buffer.count
        used -= size
        count -= 1
    }

    private mutating func grow(toHold needed: Int) {
        var capacity = max(buffer.count, min(TailRing.firstCapacity, maximumBytes))
        while capacity < needed { capacity = min(capacity * 2, maximumBytes) }
        var larger: [UInt8] = []
        larger.reserveCapacity(capacity)
        for offset in 0..<used { larger.append(byte(at: offset)) }
        larger.append(contentsOf: repeatElement(0, count: capacity - used))
        buffer = larger
        start = 0
    }

    private mutating func write(_ bytes: Slice<UnsafeRawBufferPointer>) {
        let end = (start + used) % buffer.count
        let first = min(bytes.count, buffer.count - end)
        buffer.withUnsafeMutableBytes { target in
            target[end..<(end + first)].copyBytes(from: bytes.prefix(first))
            target[..<(bytes.count - first)].copyBytes(from: bytes.dropFirst(first))
        }
        used += bytes.count
    }

    /// The byte at an offset from the oldest record's beginning.
    private func byte(at offset: Int) -> UInt8 {
        buffer[(start + offset) % buffer.count]
    }

    private func lineLength(at offset: Int) -> Int {
        Int(number(at: offset + 12, bytes: 2))
    }

    private func number(at offset: Int, bytes: Int) -> UInt64 {
        (0..<bytes).reduce(UInt64(0)) { $0 | UInt64(byte(at: offset + $1)) << UInt64(8 * $1) }
    }

    private func line(at offset: Int, length: Int) -> Line {
        let time = number(at: offset, bytes: 8)
        let ending = LineSplitter.Ending(rawValue: byte(at: offset + 14)) ?? .lineBreak
        let text = offset + TailRing.headerBytes
        let bytes = (text..<(text + length)).map { byte(at: $0) }
        return Line(time: Int64(bitPattern: time), bytes: bytes, ending: ending)
    }
}
