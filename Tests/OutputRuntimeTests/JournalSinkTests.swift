import ControlProtocol
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@testable import OutputRuntime

@Suite(.timeLimit(.minutes(1))) struct JournalSinkTests {
    /// A journal that takes so many entries, then none until somebody waits for it often enough.
    final class FakeJournal: JournalWriter {
        var entries: [[String]] = []
        var room = Int.max
        /// Room that a wait makes.
        var roomPerWait = 0
        var failure: String?
        var waits: [Duration] = []

        func send(_ entry: JournalEntry) -> JournalResult {
            if let failure { return .failed(failure) }
            guard room > 0 else { return .full }
            room -= 1
            entries.append(entry.fields)
            return .done
        }

        func wait(atMost time: Duration) -> Bool {
            waits.append(time)
            room += roomPerWait
            return roomPerWait > 0
        }
    }

    private static func batch(_ lines: [(String, LineSplitter.Ending)]) -> LineBatch {
        var batch = LineBatch()
        batch.worker = "camera"
        batch.pid = 42
        for (line, ending) in lines { Array(line.utf8).withUnsafeBytes { batch.append($0, ending) } }
        return batch
    }

    @Test func writesALineWithItsFields() {
        let journal = FakeJournal()
        let sink = JournalSink(journal, runtime: "line-4")
        #expect(sink.write(Self.batch([("<3>lens is gone", .lineBreak)]), at: .zero) == nil)
        #expect(
            journal.entries == [
                [
                    "MESSAGE=lens is gone", "PRIORITY=3", "SYSLOG_IDENTIFIER=camera", "HOLDFAST_WORKER=camera",
                    "HOLDFAST_PID=42", "HOLDFAST_RUNTIME=line-4",
                ]
            ])
    }

    @Test func marksPiecesAndLeavesEmptyLinesOut() {
        let journal = FakeJournal()
        let sink = JournalSink(journal, runtime: "line-4")
        _ = sink.write(Self.batch([("part", .longest), ("", .lineBreak), ("rest", .flushed)]), at: .zero)
        #expect(journal.entries.count == 2)
        #expect(journal.entries.first?.last == "HOLDFAST_LINE_BREAK=longest")
        #expect(journal.entries.last?.last == "HOLDFAST_LINE_BREAK=flushed")
    }

    @Test func writesAnEventWithItsKindAndMessageID() {
        let journal = FakeJournal()
        let sink = JournalSink(journal, runtime: "line-4")
        let event = EventReport(
            sequence: 8, time: 0, monotonic: 0, kind: "worker-failed", worker: "camera", supervisor: "vision",
            message: "camera exited with status 1", details: ["code": 1])
        #expect(sink.write(event, at: .zero))
        let fields = journal.entries.first ?? []
        for field in [
            "MESSAGE=camera exited with status 1", "PRIORITY=4", "HOLDFAST_EVENT=worker-failed", "HOLDFAST_SEQUENCE=8",
            "HOLDFAST_WORKER=camera", "HOLDFAST_SUPERVISOR=vision", "HOLDFAST_DETAILS={\"code\":1}",
        ] {
            #expect(fields.contains(field), "\(field)")
        }
        let id = fields.first { $0.hasPrefix("MESSAGE_ID=") }?.dropFirst("MESSAGE_ID=".count)
        #expect(id?.count == 32 && id?.allSatisfy(\.isHexDigit) == true)
    }

    @Test func waitsForAJournalThatIsBusyAndLosesNothing() {
        let journal = FakeJournal()
        journal.room = 1
        journal.roomPerWait = 2
        let sink = JournalSink(journal, runtime: "line-4")
        let lines = (0..<9).map { ("line \($0)", LineSplitter.Ending.lineBreak) }
        #expect(sink.write(Self.batch(lines), at: .zero) == nil)
        #expect(journal.entries.count == 9)
        #expect(journal.waits.count == 4)
    }

    @Test func givesUpOnAJournalThatHangsAndCounts() {
        let journal = FakeJournal()
        journal.room = 1
        var now = MonotonicInstant.zero
        let sink = JournalSink(journal, runtime: "line-4") { now }
        let lines = (0..<100).map { _ in ("12345", LineSplitter.Ending.lineBreak) }
        let loss = sink.write(Self.batch(lines), at: .zero)
        #expect(
            loss == SinkLoss(cause: .journal, count: LossCount(lines: 99, bytes: 495), reason: "journald does not read")
        )
        #expect(journal.waits.reduce(.zero, +) == JournalPatience.limit)
        journal.room = 1000
        let refused = sink.write(Self.batch(lines), at: .zero)
        #expect(refused?.count.lines == 100, "not tried within the pause")
        now = now.advanced(by: JournalPatience.pause)
        #expect(sink.write(Self.batch(lines), at: now) == nil)
    }

    @Test func aJournalThatFailsLosesLinesWithItsReason() {
        let journal = FakeJournal()
        journal.failure = "Connection refused"
        let sink = JournalSink(journal, runtime: "line-4")
        let loss = sink.write(Self.batch([("x", .lineBreak)]), at: .zero)
        #expect(loss == SinkLoss(cause: .journal, count: LossCount(lines: 1, bytes: 1), reason: "Connection refused"))
        #expect(journal.waits.isEmpty)
    }

    @Test func anEntryHasAtMostSixteenFields() {
        var entry = JournalEntry()
        for _ in 0..<20 { entry.add("FIELD", text: "x") }
        #expect(entry.fields.count == JournalEntry.maximumFields)
        entry.keep(fields: 0)
        entry.add("A", text: "b")
        #expect(entry.fields == ["A=b"])
    }

    @Test func linesGoToTheJournalWhenThereIsOne() throws {
        let journal = FakeJournal()
        let output = try OutputFixture(journal: journal)
        try output.add("camera")
        try output.send(["type": "started", "worker": "camera", "pid": 4711, "instance": 2])
        #expect(try output.tail("camera") == [])
        let worker = try output.openWriter("camera")
        try output.write("hello\n", to: worker)
        try output.loop.pump("an entry") { !journal.entries.isEmpty }
        #expect(journal.entries.first?.contains("HOLDFAST_PID=4711") == true)
        #expect(output.logged("camera").isEmpty)
    }

    @Test func linesGoToFilesWhenNoJournalIsWanted() throws {
        let journal = FakeJournal()
        let output = try OutputFixture(journal: journal, use: "off")
        try output.add("camera")
        let worker = try output.openWriter("camera")
        try output.write("hello\n", to: worker)
        try output.loop.pump("a line") { output.logged("camera") == ["hello"] }
        #expect(journal.entries.isEmpty)
    }

    @Test func aMissingJournalIsReportedWhereItWasAskedFor() throws {
        let output = try OutputFixture(use: "on")
        try output.loop.pump("a warning") { !output.reports(ofType: "warning").isEmpty }
        try output.add("camera")
        let worker = try output.openWriter("camera")
        try output.write("hello\n", to: worker)
        try output.loop.pump("a line") { output.logged("camera") == ["hello"] }
    }

    @Test func withNoLogAtAllLinesAreCountedAndTheTailIsKept() throws {
        let output = try OutputFixture(use: "off", logs: false)
        try output.add("camera")
        let worker = try output.openWriter("camera")
        try output.write("hello\n", to: worker)
        #expect(try output.tail("camera") == ["hello"])
        try output.loop.pump("a report") { output.lost("camera").lines == 1 }
    }
}
