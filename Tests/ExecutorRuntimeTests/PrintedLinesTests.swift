import LinuxSystem
import TestSupport
import Testing

@testable import ExecutorRuntime

@Suite(.timeLimit(.minutes(1))) struct PrintedLinesTests {
    @Test("lines come as they were printed, the last one without an end, without what no text has") func lines() throws
    {
        let loop = try EventLoop()
        let (ours, theirs) = try SystemCall.makePipe().shared()
        let printed = PrintedLines(loop: loop, pipe: ours)
        var lines: [String] = []
        printed.onLine = { lines.append($0) }
        try printed.start()
        _ = try SystemCall.write(try #require(theirs.rawValue), Array("one\ntw\u{0}o\n\nthree".utf8))
        try loop.runOnce(timeout: .seconds(5))
        #expect(lines == ["one", "two", ""])
        printed.finish()
        #expect(lines == ["one", "two", "", "three"])
    }

    @Test("a flood is told within limits, and what was left out is counted") func flood() throws {
        let loop = try EventLoop()
        let (ours, theirs) = try SystemCall.makePipe(nonBlocking: true).shared()
        let printed = PrintedLines(loop: loop, pipe: ours)
        var lines: [String] = []
        printed.onLine = { lines.append($0) }
        try printed.start()
        let block = Array(String(repeating: "\(String(repeating: "x", count: 63))\n", count: 100).utf8)
        for _ in 0..<20 {
            _ = try SystemCall.write(try #require(theirs.rawValue), block)
            try loop.runOnce(timeout: .seconds(5))
        }
        theirs.close()
        printed.finish()
        #expect(lines.count == 1001)
        #expect(lines.last == "1000 further lines are left out")
    }

    @Test("a line without end takes no more memory than one that is told") func longLine() throws {
        let loop = try EventLoop()
        let (ours, theirs) = try SystemCall.makePipe(nonBlocking: true).shared()
        let printed = PrintedLines(loop: loop, pipe: ours)
        var lines: [String] = []
        printed.onLine = { lines.append($0) }
        try printed.start()
        _ = try SystemCall.write(try #require(theirs.rawValue), [UInt8](repeating: 120, count: 50_000))
        printed.finish()
        #expect(lines.map(\.utf8.count) == [1024])
    }
}
