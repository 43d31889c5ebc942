import ControlProtocol
import LinuxSystem
import MonotonicTime
import SeededRandom
import TestSupport
import Testing

@testable import OutputRuntime

/// Losing the output process at any moment loses no line that fits the FIFO.
@Suite(.timeLimit(.minutes(1))) struct SurvivalTests {
    @Test func noNumberedLineIsLostWhenTheRuntimeIsReplacedAtRandom() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let output = try OutputFixture(use: "off")
        try output.add("counter")
        let worker = try output.openWriter("counter")
        var count = 0
        for _ in 0..<30 {
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let lines = (0..<Int.random(in: 1...60, using: &random)).map { "line \(count + $0)" }
                count += lines.count
                try output.write(lines.joined(separator: "\n") + "\n", to: worker)
                if Bool.random(using: &random) { try output.loop.runOnce(timeout: .zero) }
            }
            try output.replaceRuntime()
        }
        try output.loop.pump("everything") { output.logged("counter").last == "line \(count - 1)" }
        #expect(output.logged("counter") == (0..<count).map { "line \($0)" }, "seed \(seed)")
    }

    /// So a kill between logging and taking repeats a turn, and loses nothing.
    @Test func bytesStayInTheFIFOUntilTheyAreLogged() throws {
        let output = try OutputFixture(use: "off")
        let fifo = output.fifoPath("worker")
        try FIFO.create(fifo)
        let reader = SharedDescriptor(try FIFO.openBothEnds(fifo))
        let writer = try output.openWriter("worker")
        try output.write("one\ntwo\nthree\n", to: writer)
        let sink = WatchingSink(fifo: try #require(reader.rawValue))
        let drain = try OutputDrain(loop: output.loop)
        drain.sink = sink
        drain.drainAll(WorkerOutput(name: "worker", fifo: reader, limits: OutputFixture.limits, at: .zero))
        #expect(sink.unreadWhenLogged == [14])
        #expect(try FIFO.unreadBytes(sink.fifo) == 0)
    }

    @Test func aLineCutByATurnStaysInTheFIFO() throws {
        let output = try OutputFixture(use: "off")
        let fifo = output.directory.path + "/worker.fifo"
        try FIFO.create(fifo)
        let reader = SharedDescriptor(try FIFO.openBothEnds(fifo))
        let writer = try output.openWriter("worker")
        let line = String(repeating: "x", count: 999) + "\n"
        try output.write(String(repeating: line, count: 20), to: writer)
        let worker = WorkerOutput(name: "worker", fifo: reader, limits: OutputFixture.limits, at: .zero)
        let drain = try OutputDrain(loop: output.loop)
        drain.watch(worker)
        let number = try #require(reader.rawValue)
        try output.loop.pump("a turn") { try FIFO.unreadBytes(number) < 20_000 }
        #expect(try FIFO.unreadBytes(number) == 4000)
        #expect(worker.splitter.unfinishedBytes == 0)
    }

    /// Notes how much the FIFO still holds while lines are logged.
    private final class WatchingSink: LogSink {
        let fifo: Int32
        var unreadWhenLogged: [Int] = []

        init(fifo: Int32) {
            self.fifo = fifo
        }

        func prepare(_ worker: String, _ limits: OutputLimits) {}

        func write(_ batch: LineBatch, at now: MonotonicInstant) -> SinkLoss? {
            unreadWhenLogged.append((try? FIFO.unreadBytes(fifo)) ?? -1)
            return nil
        }

        func write(_ event: EventReport, at now: MonotonicInstant) -> Bool { true }
        func markGap(_ worker: String, _ loss: LossReport, time: Int64, at now: MonotonicInstant) {}
        func close(_ worker: String) {}
    }
}
