import LinuxSystem
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct JobThreadTests {
    @Test("jobs are done in their order, on one other thread, and told on the loop's") func order() throws {
        let loop = try EventLoop()
        let thread = try JobThread(loop: loop)
        let log = JobLocal(Log())
        var told: [Int] = []
        for number in 0..<100 {
            thread.perform {
                log.value.numbers.append(number)
                return log.value.numbers.count
            } _: {
                told.append($0)
            }
        }
        #expect(!thread.isIdle)
        try loop.pump("all is told") { thread.isIdle }
        #expect(told == Array(1...100))
        #expect(log.value.numbers == Array(0..<100))
    }

    @Test("the loop goes on while a job takes long, and a job may ask for another one") func parallel() throws {
        let loop = try EventLoop()
        let thread = try JobThread(loop: loop)
        let (ours, theirs) = try SystemCall.makePipe().shared()
        let (reading, writing) = (JobLocal(ours), theirs)
        var steps: [String] = []
        thread.perform {
            var byte: [UInt8] = [0]
            // Waits for the loop.
            _ = byte.withUnsafeMutableBytes { try? SystemCall.read(reading.value.rawValue ?? -1, into: $0) }
            return "job"
        } _: { text in
            steps.append(text)
            thread.perform {
                "next"
            } _: {
                steps.append($0)
            }
        }
        loop.schedule(at: loop.now) {
            steps.append("timer")
            _ = try? SystemCall.write(writing.rawValue ?? -1, [1])
        }
        try loop.pump("all is told") { steps.count == 3 }
        #expect(steps == ["timer", "job", "next"])
    }

    @Test("one that is gone tells nothing any more") func gone() throws {
        let loop = try EventLoop()
        var thread: JobThread? = try JobThread(loop: loop)
        var isTold = false
        thread?.perform {
            true
        } _: {
            isTold = $0
        }
        thread = nil
        try loop.runOnce(timeout: .milliseconds(50))
        #expect(!isTold)
    }

    private final class Log {
        var numbers: [Int] = []
    }
}
