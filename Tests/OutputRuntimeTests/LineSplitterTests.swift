import SeededRandom
import TestSupport
import Testing

@testable import OutputRuntime

@Suite struct LineSplitterTests {
    struct Piece: Equatable {
        var bytes: [UInt8]
        var ending: LineSplitter.Ending
    }

    /// The rule, one byte at a time.
    struct NaiveSplitter {
        var longest: Int
        var line: [UInt8] = []
        var pieces: [Piece] = []

        mutating func append(_ bytes: [UInt8]) {
            for byte in bytes {
                if byte == 10 {
                    pieces.append(Piece(bytes: line, ending: .lineBreak))
                    line = []
                } else {
                    if line.count == longest {
                        pieces.append(Piece(bytes: line, ending: .longest))
                        line = []
                    }
                    line.append(byte)
                }
            }
        }

        mutating func flush() {
            if !line.isEmpty { pieces.append(Piece(bytes: line, ending: .flushed)) }
            line = []
        }
    }

    static func split(_ chunks: [String], longest: Int = 8, flush: Bool = false) -> [Piece] {
        var splitter = LineSplitter(longestLine: longest)
        var pieces: [Piece] = []
        for chunk in chunks {
            Array(chunk.utf8).withUnsafeBytes { bytes in
                splitter.append(bytes) { pieces.append(Piece(bytes: Array($0), ending: $1)) }
            }
        }
        if flush { splitter.flush { pieces.append(Piece(bytes: Array($0), ending: $1)) } }
        return pieces
    }

    static let table: [([String], [(String, LineSplitter.Ending)])] = [
        ([], []),
        (["\n"], [("", .lineBreak)]),
        (["a\nb\n"], [("a", .lineBreak), ("b", .lineBreak)]),
        (["a", "b", "\n"], [("ab", .lineBreak)]),
        (["a\n\n", "b"], [("a", .lineBreak), ("", .lineBreak), ("b", .flushed)]),
        (["12345678\n"], [("12345678", .lineBreak)]),
        (["12345678", "\n"], [("12345678", .lineBreak)]),
        (["123456789\n"], [("12345678", .longest), ("9", .lineBreak)]),
        (["12345678", "9\n"], [("12345678", .longest), ("9", .lineBreak)]),
        (["1234567812345678"], [("12345678", .longest), ("12345678", .flushed)]),
        (["\r\n"], [("\r", .lineBreak)]),
    ]

    @Test(arguments: table.indices) func splitsAsTheTableSays(_ index: Int) {
        let (chunks, expected) = Self.table[index]
        #expect(Self.split(chunks, flush: true) == expected.map { Piece(bytes: Array($0.0.utf8), ending: $0.1) })
    }

    @Test func keepsBytesThatAreNotUTF8() {
        var splitter = LineSplitter()
        var lines: [[UInt8]] = []
        ([0xff, 0x00, 0xc3, 10, 0x28] as [UInt8]).withUnsafeBytes { bytes in
            splitter.append(bytes) { line, _ in lines.append(Array(line)) }
        }
        #expect(lines == [[0xff, 0x00, 0xc3]])
        #expect(splitter.unfinishedBytes == 1)
    }

    @Test func agreesWithTheNaiveSplitterOnRandomChunks() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let longest = Int.random(in: 1...12, using: &random)
            var splitter = LineSplitter(longestLine: longest)
            var naive = NaiveSplitter(longest: longest)
            var pieces: [Piece] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let chunk = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                    Bool.random(using: &random) && Bool.random(using: &random)
                        ? 10 : UInt8.random(in: 0...255, using: &random)
                }
                chunk.withUnsafeBytes { bytes in
                    splitter.append(bytes) { pieces.append(Piece(bytes: Array($0), ending: $1)) }
                }
                naive.append(chunk)
                #expect(splitter.unfinishedBytes <= longest, "seed \(seed)")
                if Int.random(in: 0..<8, using: &random) == 0 {
                    splitter.flush { pieces.append(Piece(bytes: Array($0), ending: $1)) }
                    naive.flush()
                }
            }
            #expect(pieces == naive.pieces, "seed \(seed)")
        }
    }
}
