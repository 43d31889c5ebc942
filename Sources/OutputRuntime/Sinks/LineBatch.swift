/// The lines of one worker from one turn, one after another in one buffer, so that a file gets them in one write.
struct LineBatch {
    struct Line {
        var range: Range<Int>
        var ending: LineSplitter.Ending
    }

    var worker = ""
    /// The process they came from, as far as known.
    var pid: Int?
    /// Microseconds since 1970, when the turn's bytes were read.
    var time: Int64 = 0
    private(set) var bytes: [UInt8] = []
    private(set) var lines: [Line] = []

    var isEmpty: Bool { lines.isEmpty }

    mutating func append(_ line: UnsafeRawBufferPointer, _ ending: LineSplitter.Ending) {
        let start = bytes.count
        bytes.append(contentsOf: line)
        lines.append(Line(range: start..<bytes.count, ending: ending))
    }

    /// Empties it for the next turn, and keeps its buffers.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }

    /// What is lost when the lines from an index on are.
    func loss(from index: Int) -> LossCount {
        lines[index...].reduce(into: LossCount()) { $0 += LossCount(lines: 1, bytes: $1.range.count) }
    }
}
