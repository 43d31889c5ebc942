import ControlProtocol
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@testable import OutputRuntime

@Suite(.timeLimit(.minutes(1))) struct LogServiceTests {
    private static func fixture(_ lines: [String]) throws -> (OutputFixture, SharedDescriptor) {
        let output = try OutputFixture()
        try output.add("camera")
        let worker = try output.openWriter("camera")
        try output.write(lines.map { $0 + "\n" }.joined(), to: worker)
        try output.loop.pump("lines logged") { output.logged("camera").count == lines.count }
        return (output, worker)
    }

    @Test func answersWithTheLastLinesAndEnds() throws {
        let (output, _) = try Self.fixture(["one", "two", "three"])
        let reader = try output.openLogs("camera", lines: 2)
        try output.loop.pump("the end") { reader.isClosed }
        #expect(reader.lines.map(\.line) == ["two", "three"])
        #expect(reader.lines.allSatisfy { $0.worker == "camera" && $0.lost == 0 && $0.time > 1_000_000 })
        #expect(reader.replies.map(\.continues) == [true, false])
    }

    @Test func withoutMoreItAnswersOnceWithTheNewestLine() throws {
        let (output, _) = try Self.fixture(["one", "two"])
        let reader = try output.openLogs("camera", lines: 2, follow: true, more: false)
        try output.loop.pump("the end") { reader.isClosed }
        #expect(reader.replies.map(\.continues) == [false])
        #expect(reader.lines.map(\.line) == ["two"])
    }

    @Test func answersAWorkerWithoutLinesWithNone() throws {
        let (output, _) = try Self.fixture([])
        let reader = try output.openLogs("camera")
        try output.loop.pump("the end") { reader.isClosed }
        #expect(reader.replies == [VarlinkReply(LogsReply(line: nil))])
    }

    @Test func answersAnUnknownWorkerWithAnError() throws {
        let (output, _) = try Self.fixture([])
        let reader = try output.openLogs("nobody")
        try output.loop.pump("the end") { reader.isClosed }
        #expect(reader.replies.first.flatMap { RuntimeError($0) } == .noSuchWorker(name: "nobody"))
    }

    @Test func followsNewLinesUntilTheWorkerIsRemoved() throws {
        let (output, worker) = try Self.fixture(["old"])
        let reader = try output.openLogs("camera", follow: true)
        try output.loop.pump("the backlog") { reader.lines.count == 1 }
        try output.write("new 1\nnew 2\n", to: worker)
        try output.loop.pump("new lines") { reader.lines.count == 3 }
        #expect(reader.lines.map(\.line) == ["old", "new 1", "new 2"])
        #expect(reader.replies.map(\.continues) == [true, true, true])
        try output.send(["type": "remove", "worker": "camera"])
        try output.loop.pump("the end") { reader.isClosed }
        #expect(reader.replies.last == VarlinkReply(LogsReply(line: nil)))
    }

    @Test func tellsAFollowerHowManyLinesWereLost() throws {
        let output = try OutputFixture()
        let limits = OutputLimits(rate: 4000, burst: 100, maximumFileBytes: 10_000, rotatedFiles: 0)
        try output.add("flood", limits)
        let worker = try output.openWriter("flood")
        let reader = try output.openLogs("flood", follow: true)
        try output.write((0..<1000).map { "line \($0)\n" }.joined(), to: worker)
        try output.loop.pump("a gap") {
            try output.write("one more\n", to: worker)
            return reader.lines.contains { $0.lost > 0 }
        }
        // What is shown and what is said to be lost add up to a line's own number.
        let gap = try #require(reader.lines.firstIndex { $0.lost > 0 })
        #expect(reader.lines[..<gap].allSatisfy { $0.lost == 0 })
        #expect(reader.lines[gap].lost >= 1000 - gap)
    }

    @Test func noticesAFollowerThatHangsUp() throws {
        let (output, worker) = try Self.fixture(["old"])
        var reader: LogReader? = try output.openLogs("camera", follow: true)
        try output.loop.pump("the backlog") { reader?.lines.count == 1 }
        reader = nil
        let runtime = try #require(output.runtime)
        try output.loop.pump("gone") { runtime.logReaders == 0 }
        try output.write("goes on\n", to: worker)
        try output.loop.pump("a line") { output.logged("camera").count == 2 }
        #expect(output.reports(ofType: "warning").isEmpty)
    }

    @Test func dropsAFollowerThatDoesNotReadAndKeepsTheOthers() throws {
        let (output, worker) = try Self.fixture(["old"])
        let slow = try output.openLogs("camera", follow: true)
        let quick = try output.openLogs("camera", follow: true)
        try output.loop.pump("backlogs") { slow.lines.count == 1 && quick.lines.count == 1 }
        slow.stopReading()
        let text = String(repeating: "x", count: 1000)
        for number in 0..<1000 {
            try output.write("\(number) \(text)\n", to: worker)
            try output.loop.pump("line \(number)") { quick.lines.count == number + 2 }
        }
        let warnings = output.reports(ofType: "warning").compactMap { $0["message"]?.stringValue }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("(1 so far)") == true)
        #expect(output.runtime?.logReaders == 1)
        try slow.resumeReading()
        try output.loop.pump("the slow one sees its end") { slow.isClosed }
    }

    @Test func refusesReadersBeyondTheLimit() throws {
        let (output, _) = try Self.fixture(["old"])
        let readers = try (0..<LogService.mostClients).map { _ in try output.openLogs("camera", follow: true) }
        try output.loop.pump("all served") { readers.allSatisfy { $0.lines.count == 1 } }
        let another = try output.openLogs("camera", follow: true)
        try output.loop.pump("refused") { another.isClosed }
        guard case .unavailable = another.replies.first.flatMap({ RuntimeError($0) }) else {
            Issue.record("not refused: \(another.replies)")
            return
        }
    }

    @Test func keepsEventsInAFileOfTheirOwn() throws {
        let output = try OutputFixture()
        let event = EventReport(
            sequence: 1, time: 2, monotonic: 3, kind: "reloaded", message: "the configuration was read again",
            details: [:])
        try output.send(["type": "event", "event": event.json])
        try output.loop.pump("the event") {
            let path = output.directory.path + "/log/holdfast-events.log"
            guard let bytes = try? SystemCall.readFile(path, limit: 4096), bytes.last == 10 else { return false }
            return try EventReport(json: try JSONValue.parse(Array(bytes.dropLast()))) == event
        }
        try output.loop.pump("its confirmation") { output.reports(ofType: "logged").last?["event"]?.intValue == 1 }
    }

    @Test func isAliveForItsSupervisor() throws {
        let directory = try TemporaryDirectory()
        let notify = try NotifySocket(path: directory.path + "/notify")
        let output = try OutputFixture(
            environment: ServiceEnvironment(notifySocket: notify.path, watchdogPeriod: .milliseconds(40)))
        var fields: [NotifyField] = []
        try output.loop.pump("three pings") {
            while let message = try notify.receive() { fields += message.fields }
            return fields.count >= 4
        }
        #expect(fields.prefix(4) == [.ready, .watchdogPing, .watchdogPing, .watchdogPing])
    }
}
