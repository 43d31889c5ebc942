import ControlProtocol
import Glibc
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@testable import OutputRuntime

@Suite(.timeLimit(.minutes(1))) struct DrainingTests {
    @Test func saysReadyOnceItKnowsWhereLogsGo() throws {
        let output = try OutputFixture()
        try output.loop.pump("ready") { !output.reports(ofType: "ready").isEmpty }
        #expect(output.reports.count == 1)
    }

    @Test func putsEachLineIntoTheWorkersFileWithATime() throws {
        let output = try OutputFixture()
        try output.add("camera")
        let worker = try output.openWriter("camera")
        try output.write("first\n\n<3>third\n", to: worker)
        try output.loop.pump("three lines") { output.logged("camera").count == 3 }
        #expect(output.logged("camera") == ["first", "", "<3>third"])
        let bytes = try SystemCall.readFile(output.logPath("camera"), limit: 100)
        #expect(bytes[4] == UInt8(ascii: "-") && bytes[26] == UInt8(ascii: "Z") && bytes[27] == UInt8(ascii: " "))
    }

    @Test func floodersStarveNobodyAndEveryLineIsLoggedOrCounted() throws {
        let output = try OutputFixture()
        // Large files: a line that is rotated away was logged, and could not be found any more.
        let limits = OutputLimits(rate: 100_000, burst: 50_000, maximumFileBytes: 1 << 26, rotatedFiles: 1)
        let flooders = ["flood1", "flood2", "flood3"]
        for name in flooders { try output.add(name, limits) }
        try output.add("quiet", limits)
        var written: [String: Int] = [:]
        var registrations: [EventLoop.Registration] = []
        let writers = try flooders.map { ($0, try output.openWriter($0)) }
        for (name, writer) in writers {
            let number = try #require(writer.rawValue)
            registrations.append(
                try output.loop.register(number, .writable) { _ in
                    let lines = (0..<64).map { _ in "\(name) \(String(repeating: "x", count: 50))\n" }.joined()
                    // Within PIPE_BUF: whole or not at all.
                    if case .done? = try? SystemCall.write(number, Array(lines.utf8)) {
                        written[name, default: 0] += 64
                    }
                })
        }
        let quiet = try output.openWriter("quiet")
        for number in 0..<200 {
            try output.write("line \(number)\n", to: quiet)
            try output.loop.pump("line \(number)") { try output.unread("quiet") == 0 }
        }
        #expect(output.logged("quiet") == (0..<200).map { "line \($0)" })
        for registration in registrations { output.loop.unregister(registration) }
        for name in flooders {
            try output.loop.pump("\(name) drained") { try output.unread(name) == 0 }
        }
        try output.loop.pump("losses reported") {
            flooders.allSatisfy { name in
                let logged = output.logged(name).filter { $0.hasPrefix(name) }.count
                return logged + output.lost(name).lines == written[name, default: 0]
            }
        }
        for name in flooders {
            #expect(output.lost(name).lines > 0, "\(name) was over its limit")
            #expect(output.logged(name).contains { $0.contains("lost: over the rate limit") })
        }
        #expect(output.lost("quiet") == LossCount())
    }

    @Test func aWorkerOverItsLimitIsNotReadAtFullSpeed() throws {
        let output = try OutputFixture()
        try output.add("flood", OutputLimits(rate: 1000, burst: 1000, maximumFileBytes: 10_000, rotatedFiles: 0))
        let writer = try output.openWriter("flood")
        try output.loop.pump("ready") { !output.reports(ofType: "ready").isEmpty }
        let start = MonotonicClock.now()
        try output.write(String(repeating: String(repeating: "x", count: 99) + "\n", count: 20_000), to: writer)
        try output.loop.pump("drained") { try output.unread("flood") == 0 }
        let elapsed = start.duration(to: MonotonicClock.now())
        // 2 MB in steps of 64 KiB every 10 ms: not at once; the time limit of the suite says whether it is blocked.
        #expect(elapsed > .milliseconds(200))
    }

    @Test func reportsLossesAtMostOncePerSecond() throws {
        let output = try OutputFixture()
        try output.add("flood", OutputLimits(rate: 1, burst: 1, maximumFileBytes: 10_000, rotatedFiles: 0))
        let writer = try output.openWriter("flood")
        let start = MonotonicClock.now()
        while start.duration(to: MonotonicClock.now()) < .milliseconds(1500) {
            try output.write("over the limit\n", to: writer)
            try output.loop.runOnce(timeout: .milliseconds(20))
        }
        let elapsed = start.duration(to: MonotonicClock.now()).inSeconds
        let reports = output.reports(ofType: "lost").count
        #expect(reports >= 1 && Double(reports) <= elapsed)
    }

    @Test func aTailContainsTheLastLineWithoutAnEnd() throws {
        let output = try OutputFixture()
        try output.add("crasher")
        let worker = try output.openWriter("crasher")
        try output.write("one\ntwo\nsegmentation fau", to: worker)
        worker.close()
        #expect(try output.tail("crasher") == ["one", "two", "segmentation fau"])
        #expect(output.logged("crasher").last == "segmentation fau")
        #expect(try output.tail("crasher", lines: 1) == ["segmentation fau"])
        #expect(try output.tail("nobody") == [])
    }

    @Test func aTailHasTheLastWordsOfAFlooderThatWasOverItsLimit() throws {
        let output = try OutputFixture()
        try output.add("flood", OutputLimits(rate: 10, burst: 10, maximumFileBytes: 1000, rotatedFiles: 0))
        let worker = try output.openWriter("flood")
        try output.write((0..<500).map { "noise \($0)\n" }.joined() + "the reason\n", to: worker)
        #expect(try output.tail("flood", lines: 2) == ["noise 499", "the reason"])
    }

    @Test func aTailFitsAPacketWhateverItsLinesHold() throws {
        let output = try OutputFixture()
        try output.add("binary")
        let worker = try output.openWriter("binary")
        for _ in 0..<40 { try output.write(String(repeating: "\u{1}", count: 1000) + "\n", to: worker) }
        try output.write("end\n", to: worker)
        let lines = try output.tail("binary", lines: 1000, maximumBytes: 1 << 20)
        #expect(lines.last == "end")
        #expect(lines.count > 5)
    }

    @Test func anIdleRuntimeDoesNotWakeEvenWhenAWorkerHasGone() throws {
        let output = try OutputFixture()
        try output.add("gone")
        let worker = try output.openWriter("gone")
        try output.write("bye\n", to: worker)
        worker.close()
        try output.loop.pump("the line") { output.logged("gone") == ["bye"] }
        let start = MonotonicClock.now()
        for _ in 0..<4 { try output.loop.runOnce(timeout: .milliseconds(50)) }
        #expect(start.duration(to: MonotonicClock.now()) >= .milliseconds(200))
        // The next process is heard again.
        let next = try output.openWriter("gone")
        try output.send(["type": "started", "worker": "gone", "pid": 99, "instance": 2])
        try output.write("back\n", to: next)
        try output.loop.pump("the next line") { output.logged("gone") == ["bye", "back"] }
    }

    @Test func aFIFOThatNobodyCanWriteIsReportedAndNotWatched() throws {
        let output = try OutputFixture()
        try FIFO.create(output.fifoPath("deaf"))
        let readingEnd = try SystemCall.open(output.fifoPath("deaf"), [.readOnly, .nonBlocking])
        try output.send(
            [
                "type": "add", "worker": "deaf", "rate_bytes_per_s": 0, "burst_bytes": 1, "max_file_bytes": 1000,
                "files": 1,
            ], descriptor: readingEnd.rawValue)
        try output.openWriter("deaf").close()
        try output.loop.pump("a warning") { output.reports(ofType: "warning").count == 1 }
        let start = MonotonicClock.now()
        try output.loop.runOnce(timeout: .milliseconds(50))
        #expect(start.duration(to: MonotonicClock.now()) >= .milliseconds(50))
    }

    @Test func aNewProcessDoesNotFinishTheLineOfTheOneBefore() throws {
        let output = try OutputFixture()
        try output.add("worker")
        let worker = try output.openWriter("worker")
        try output.write("half a li", to: worker)
        try output.loop.pump("read") { try output.unread("worker") == 0 }
        try output.send(["type": "started", "worker": "worker", "pid": 99, "instance": 2])
        try output.loop.pump("flushed") { output.logged("worker") == ["half a li"] }
        try output.write("whole\n", to: worker)
        try output.loop.pump("the new line") { output.logged("worker").count == 2 }
        #expect(output.logged("worker") == ["half a li", "whole"])
    }

    @Test func aMarkEndsTheLineOfOneProcessAndTheTailOfAnother() throws {
        let output = try OutputFixture()
        try output.add("worker")
        let writer = try output.openWriter("worker")
        try output.send(["type": "started", "worker": "worker", "pid": 98, "instance": 1])
        try output.write("\(OutputFixture.mark(1))one\nlast wor", to: writer)
        try output.loop.pump("read") { try output.unread("worker") == 0 }
        try output.write("ds\(OutputFixture.mark(2))first\nsec", to: writer)
        // The replacement has spoken before its start is announced and the tail of the dead is asked for.
        try output.loop.pump("read") { try output.unread("worker") == 0 }
        try output.send(["type": "started", "worker": "worker", "pid": 99, "instance": 2])
        #expect(try output.tail("worker", of: 1) == ["one", "last words"])
        try output.write("ond\n", to: writer)
        #expect(try output.tail("worker", of: 2) == ["first", "second"])
        #expect(output.logged("worker") == ["one", "last words", "first", "second"])
    }

    @Test func anAnnouncementThatComesAfterTheNextProcessHasBegunDividesNothing() throws {
        let output = try OutputFixture()
        try output.add("worker")
        let writer = try output.openWriter("worker")
        try output.write("\(OutputFixture.mark(1))one\n\(OutputFixture.mark(2))tw", to: writer)
        try output.send(["type": "started", "worker": "worker", "pid": 98, "instance": 1])
        #expect(try output.tail("worker", of: 1) == ["one"])
        try output.send(["type": "started", "worker": "worker", "pid": 99, "instance": 2])
        try output.write("o\n", to: writer)
        #expect(try output.tail("worker", of: 2) == ["two"])
    }

    @Test func whereNoMarkFitsTheAnnouncementOfTheStartDivides() throws {
        let output = try OutputFixture()
        try output.add("worker")
        let writer = try output.openWriter("worker")
        try output.send(["type": "started", "worker": "worker", "pid": 98, "instance": 1])
        #expect(try output.tail("worker", of: 1).isEmpty)
        try output.write("last words", to: writer)
        try output.send(["type": "started", "worker": "worker", "pid": 99, "instance": 2])
        try output.loop.pump("flushed") { output.logged("worker") == ["last words"] }
        try output.write("first\n", to: writer)
        #expect(try output.tail("worker", of: 1) == ["last words"])
        #expect(try output.tail("worker", of: 2) == ["first"])
    }

    @Test(arguments: 0..<40)
    func aMarkIsFoundWhereverItFallsBetweenTwoTurns(offset: Int) throws {
        let output = try OutputFixture(use: "off")
        try output.add("worker")
        let writer = try output.openWriter("worker")
        try output.loop.pump("ready") { !output.reports(ofType: "ready").isEmpty }
        // No line break that would hold the turn back before the mark.
        let text = String(repeating: "x", count: OutputDrain.turnBytes - offset)
        try output.write(text + OutputFixture.mark(2) + "next\n", to: writer)
        try output.loop.pump("all") { output.logged("worker").last == "next" }
        #expect(output.logged("worker").joined() == text + "next")
    }

    @Test func aProcessThatWasThereBeforeHasEverythingUpToTheNextOne() throws {
        let output = try OutputFixture()
        try output.add("worker")
        let writer = try output.openWriter("worker")
        try output.write("old\n\(OutputFixture.mark(5))new\n", to: writer)
        #expect(try output.tail("worker", of: 4) == ["old"])
        #expect(try output.tail("worker", of: 5) == ["new"])
        #expect(try output.tail("worker", of: 6) == ["old", "new"])
    }

    @Test func removingDrainsFirst() throws {
        let output = try OutputFixture()
        try output.add("short")
        let worker = try output.openWriter("short")
        try output.write((0..<3000).map { "line \($0)\n" }.joined() + "end", to: worker)
        try output.send(["type": "remove", "worker": "short"])
        try output.loop.pump("everything logged") { output.logged("short").count == 3001 }
        #expect(output.logged("short").last == "end")
    }

    @Test func aClosedChannelDrainsEverythingAndEnds() throws {
        let output = try OutputFixture()
        try output.add("worker")
        try output.loop.pump("ready") { !output.reports(ofType: "ready").isEmpty }
        let worker = try output.openWriter("worker")
        try output.write((0..<2000).map { "line \($0)\n" }.joined() + "last words", to: worker)
        output.closeChannel()
        try output.loop.pump("the end") { output.runtime?.isFinished == true }
        #expect(output.logged("worker").count == 2001)
        #expect(output.logged("worker").last == "last words")
    }

    @Test func badRequestsAreReportedAndDisturbNothing() throws {
        let output = try OutputFixture()
        try output.add("worker")
        let file = try SystemCall.open("/dev/null", .readOnly)
        try output.send(["type": "add", "worker": "x", "rate_bytes_per_s": 1], descriptor: file.rawValue)
        try output.send(["type": "frobnicate"])
        try output.send("text")
        try output.send(["type": "logs", "worker": "worker", "lines": 1, "follow": false, "more": true])
        try output.loop.pump("four warnings") { output.reports(ofType: "warning").count == 4 }
        let worker = try output.openWriter("worker")
        try output.write("still here\n", to: worker)
        try output.loop.pump("a line") { output.logged("worker") == ["still here"] }
    }

    @Test func workThatNeverEndsEndsTheProcess() async {
        await #expect(processExitsWith: .signal(SIGALRM)) {
            let pipe = try SystemCall.makePipe()
            DeadmanAlarm(seconds: 1).during {
                _ = try? SystemCall.wait(for: pipe.readEnd.rawValue, .readable, timeout: nil)
            }
        }
    }

    @Test func workThatEndsLeavesNoAlarm() async {
        await #expect(processExitsWith: .success) {
            let pipe = try SystemCall.makePipe()
            let deadman = DeadmanAlarm(seconds: 1)
            deadman.during { deadman.during {} }
            let came = try SystemCall.wait(for: pipe.readEnd.rawValue, .readable, timeout: .milliseconds(1200))
            #expect(!came)
        }
    }

    @Test(arguments: ["../etc/passwd", "a/b", ".hidden", "", "holdfast-events", "a b"])
    func namesThatAreNoFileNamesAreRefused(_ name: String) {
        #expect(!WorkerOutput.isValid(name: name))
    }
}
