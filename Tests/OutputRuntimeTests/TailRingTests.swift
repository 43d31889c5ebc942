import SeededRandom
import TestSupport
import Testing

@testable import OutputRuntime

@Suite struct TailRingTests {
    private static func append(_ text: String, to ring: inout TailRing, time: Int64 = 0) {
        Array(text.utf8).withUnsafeBytes { ring.append($0, ending: .lineBreak, time: time) }
    }

    private static func texts(_ lines: [TailRing.Line]) -> [String] {
        lines.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func costsNothingBeforeTheFirstLine() {
        let ring = TailRing()
        #expect(ring.capacity == 0)
        #expect(ring.last(lines: 10).isEmpty)
    }

    @Test func keepsTimeAndEndingOfALine() {
        var ring = TailRing()
        Array("half".utf8).withUnsafeBytes { ring.append($0, ending: .flushed, time: -1) }
        #expect(ring.last(lines: 1) == [TailRing.Line(time: -1, bytes: Array("half".utf8), ending: .flushed)])
    }

    @Test func givesTheNewestWithinLinesAndBytes() {
        var ring = TailRing()
        for text in ["one", "two", "three"] { Self.append(text, to: &ring) }
        #expect(Self.texts(ring.last(lines: 2)) == ["two", "three"])
        #expect(Self.texts(ring.last(lines: 9, maximumBytes: 8)) == ["two", "three"])
        #expect(Self.texts(ring.last(lines: 9, maximumBytes: 7)) == ["three"])
        #expect(ring.last(lines: 0).isEmpty)
        #expect(ring.last(lines: -1).isEmpty)
    }

    @Test func cutsALineLongerThanItselfAtTheFront() {
        var ring = TailRing(maximumBytes: TailRing.headerBytes + 5)
        Self.append("0123456789", to: &ring)
        #expect(Self.texts(ring.last(lines: 1)) == ["56789"])
    }

    @Test func tellsTheLinesOfOneProcessFromThoseOfOthers() {
        var ring = TailRing()
        for process in [0, 1, 1, 2, .max] as [UInt32] {
            Array("of \(process)".utf8).withUnsafeBytes {
                ring.append($0, ending: .lineBreak, time: 0, process: process)
            }
        }
        #expect(Self.texts(ring.last(lines: 9, of: 1...1)) == ["of 1", "of 1"])
        #expect(Self.texts(ring.last(lines: 1, of: 0...1)) == ["of 1"])
        #expect(Self.texts(ring.last(lines: 2)) == ["of 2", "of 4294967295"])
    }

    @Test func agreesWithAListOnRandomLines() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let maximumBytes = Int.random(in: TailRing.headerBytes + 1...3000, using: &random)
            let maximumLines = Int.random(in: 1...60, using: &random)
            var ring = TailRing(maximumBytes: maximumBytes, maximumLines: maximumLines)
            var model: [[UInt8]] = []
            for time in 0..<200 {
                let line = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                line.withUnsafeBytes { ring.append($0, ending: .lineBreak, time: Int64(time)) }
                model.append(Array(line.suffix(maximumBytes - TailRing.headerBytes)))
                while model.count > maximumLines
                    || model.reduce(0, { $0 + $1.count + TailRing.headerBytes }) > maximumBytes
                {
                    model.removeFirst()
                }
                #expect(ring.capacity <= maximumBytes, "seed \(seed)")
            }
            #expect(ring.last(lines: .max).map(\.bytes) == model, "seed \(seed)")
            #expect(ring.last(lines: 3).map(\.bytes) == Array(model.suffix(3)), "seed \(seed)")
        }
    }
}
