import MonotonicTime
import Testing

@testable import LinuxSystem

struct TimerQueueTests {
    @Test func rescheduledTimersStayInConstantMemory() {
        var queue = TimerQueue()
        var watchdog = queue.schedule(at: MonotonicInstant(nanoseconds: 1_000_000)) {}
        for step in 0..<100_000 {
            queue.cancel(watchdog)
            watchdog = queue.schedule(at: MonotonicInstant(nanoseconds: Int64(1_000_000 + step))) {}
        }
        #expect(queue.count == 1)
        #expect(queue.storedCount <= 128)
    }

    @Test(arguments: 0..<20) func timersComeOutInOrderWhateverTheOrderOfScheduling(seed: UInt64) {
        var queue = TimerQueue()
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var fired: [Int64] = []
        var expected: [Int64] = []
        for _ in 0..<500 {
            let deadline = Int64(random(1000))
            let timer = queue.schedule(at: MonotonicInstant(nanoseconds: deadline)) { fired.append(deadline) }
            if random(3) == 0 { queue.cancel(timer) } else { expected.append(deadline) }
        }
        while let handler = queue.takeDue(at: MonotonicInstant(nanoseconds: 1000), scheduledBefore: queue.upcoming) {
            handler()
        }
        #expect(fired == expected.sorted())
        #expect(queue.earliest() == nil)
    }
}
