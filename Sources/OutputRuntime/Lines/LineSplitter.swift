/// Cuts a worker's byte stream into lines as the bytes arrive. Bytes are kept as they are, UTF-8 or not.
///
/// Memory is bounded: a line longer than `longestLine` is handed on in pieces of that length, and at most one unfinished
/// piece is held. The pieces of a line, put together, are the line.
struct LineSplitter {
    /// Why a line, or a piece of one, ends.
    enum Ending: UInt8, Equatable {
        /// At a line break, which is not part of it.
        case lineBreak
        /// At the longest length; the next piece goes on with the same line.
        case longest
        /// The worker's process ended, or somebody asked for what there is, before the line break came.
        case flushed
    }

    /// Bytes of one line or piece, at most.
    static let defaultLongestLine = 16 * 1024

    let longestLine: Int
    private var unfinished: [UInt8] = []

    init(longestLine: Int = LineSplitter.defaultLongestLine) {
        precondition(longestLine > 0, "a line has room for a byte")
        self.longestLine = longestLine
    }

    /// Bytes held that no line break followed yet.
    var unfinishedBytes: Int { unfinished.count }

    /// Takes bytes and hands on the lines they finish; the buffers are valid during the call only.
    mutating func append(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer, Ending) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let lineBreak = rest.firstIndex(of: UInt8(ascii: "\n"))
            var part = rest[..<(lineBreak ?? rest.endIndex)]
            rest = lineBreak.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
            // More than the longest: whatever follows belongs to the next piece, so no piece is empty.
            while unfinished.count + part.count > longestLine {
                let room = longestLine - unfinished.count
                hand(on: part.prefix(room), .longest, take)
                part = part.dropFirst(room)
            }
            if lineBreak != nil {
                hand(on: part, .lineBreak, take)
            } else {
                unfinished.append(contentsOf: part)
            }
        }
    }

    /// Hands on the unfinished line, if there is one: its worker has ended.
    mutating func flush(_ take: (UnsafeRawBufferPointer, Ending) -> Void) {
        guard !unfinished.isEmpty else { return }
        hand(on: [], .flushed, take)
        // An idle worker keeps no buffer.
        unfinished = []
    }

    private mutating func hand(
        on part: Slice<UnsafeRawBufferPointer>, _ ending: Ending, _ take: (UnsafeRawBufferPointer, Ending) -> Void
    ) {
        if unfinished.isEmpty {
            take(UnsafeRawBufferPointer(rebasing: part), ending)
        } else {
            unfinished.append(contentsOf: part)
            unfinished.withUnsafeBytes { take($0, ending) }
            unfinished.removeAll(keepingCapacity: true)
        }
    }

    private mutating func hand(
        on part: [UInt8], _ ending: Ending, _ take: (UnsafeRawBufferPointer, Ending) -> Void
    ) {
        part.withUnsafeBytes { hand(on: $0[...], ending, take) }
    }
}
