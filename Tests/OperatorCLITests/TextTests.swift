import Testing

@testable import OperatorCLI

struct TextTests {
    @Test(arguments: [
        (0.0, "0s"), (59.9, "59s"), (60, "1m00s"), (192, "3m12s"), (3_599.9, "59m59s"), (11_525, "3h12m"),
        (187_200, "2d04h"), (-5, "0s"), (1e300, "11574074074d01h"), (.nan, "0s"),
    ])
    func `ages are compact, rounded down`(seconds: Double, text: String) {
        #expect(DurationText.compact(seconds) == text)
    }

    @Test(arguments: [
        (0.0, "now"), (-1, "now"), (0.01, "in 1 s"), (3.2, "in 4 s"), (59.5, "in 1m00s"), (282, "in 4m42s"),
    ])
    func `what is to come is rounded up`(seconds: Double, text: String) {
        #expect(DurationText.inThen(seconds) == text)
    }

    @Test(arguments: [
        (0.00004, "0.0 ms"), (0.0021, "2.1 ms"), (0.212, "212 ms"), (0.9996, "1.0 s"), (4.24, "4.2 s"),
        (59.94, "59.9 s"), (59.96, "1m00s"), (192.4, "3m12s"),
    ])
    func `measurements keep two or three digits`(seconds: Double, text: String) {
        #expect(DurationText.measured(seconds) == text)
    }

    @Test(arguments: [(0.5, "0.5s"), (30.0, "30s"), (60, "1m"), (90, "1m30s"), (7_200, "2h"), (86_400, "1d")])
    func `periods read as they are configured`(seconds: Double, text: String) {
        #expect(DurationText.period(seconds) == text)
    }

    @Test(arguments: [0, 999, 1000, 1023, 1024 * 1024, 48_000_000, Int.max, -1])
    func `amounts of memory take five characters at most`(bytes: Int) {
        #expect(bytes == .max || ByteText.compact(bytes).count <= 5)
    }

    @Test(arguments: [
        ("plain text, é, 漢字, 🦀", "plain text, é, 漢字, 🦀"), ("\u{1b}[2J", #"\u{1b}[2J"#), ("a\r\nb\tc", #"a\r\nb\tc"#),
        ("\u{9b}31m", #"\u{9b}31m"#), ("\u{7f}", #"\u{7f}"#), ("\u{2066}x\u{2069}", #"\u{2066}x\u{2069}"#),
        ("\u{2028}", #"\u{2028}"#),
    ])
    func `text of others cannot speak to the terminal`(text: String, escaped: String) {
        #expect(text.escapedForTerminal == escaped)
    }

    @Test func `a word longer than its column is cut`() {
        var table = Table([Table.Column("A"), Table.Column("B")])
        table.add([Table.Cell("x"), Table.Cell(String(repeating: "w", count: 60))])
        let lines = table.lines(.plain, width: 33)
        #expect(
            lines == ["A  B", "x  " + String(repeating: "w", count: 30), "   " + String(repeating: "w", count: 30)])
    }

    @Test func `a table without content has no lines`() {
        #expect(Table([Table.Column("A")]).lines(.plain) == [])
    }

    @Test func `a frame never has more lines than the screen`() {
        let lines = (1...10).map { "line \($0)" }
        let frame = ScreenControl.frame(lines, rows: 6)
        #expect(frame.split(separator: "\r\n").dropLast().count == 5)
        #expect(frame.contains("… and 6 more"))
        #expect(ScreenControl.frame(lines, rows: 11).contains("line 10"))
    }
}
