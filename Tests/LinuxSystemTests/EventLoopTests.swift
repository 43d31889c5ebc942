import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventLoopTests {
    @Test func reportsReadableDescriptorUntilItIsDrained() throws {
        let loop = try EventLoop()
        let pipe = try SystemCall.makePipe(nonBlocking: true)
        var received: [UInt8] = []
        let readEnd = pipe.readEnd.rawValue
        let registration = try loop.register(readEnd, .readable) { readiness in
            #expect(readiness.contains(.readable))
            var byte: [UInt8] = [0]
            _ = try? byte.withUnsafeMutableBytes { buffer throws(SystemError) in
                try SystemCall.read(readEnd, into: buffer)
            }
            received += byte
        }
        _ = try SystemCall.write(pipe.writeEnd.rawValue, [1, 2])
        try loop.pump("both bytes") { received == [1, 2] }
        loop.unregister(registration)
        try loop.runOnce(timeout: .zero)
        #expect(received == [1, 2])
    }

    @Test func staleEventDoesNotReachTheNextUserOfTheDescriptorNumber() throws {
        let loop = try EventLoop()
        var pipes: [Int: (read: SharedDescriptor, write: SharedDescriptor)] = [:]
        for index in 0..<2 {
            let ends = try SystemCall.makePipe(nonBlocking: true).shared()
            pipes[index] = (ends.readEnd, ends.writeEnd)
        }
        var registrations: [Int: EventLoop.Registration] = [:]
        var replacement: Int32 = -1
        var strayCalls = 0
        var calls = 0
        // Whichever is dispatched first closes the other, whose event is in the same batch, and reuses its number.
        for index in 0..<2 {
            let number = try #require(pipes[index]?.read.rawValue)
            registrations[index] = try loop.register(number, .readable) { _ in
                calls += 1
                guard let other = pipes[1 - index], let taken = other.read.rawValue else { return }
                if let registration = registrations[1 - index] { loop.unregister(registration) }
                other.read.close()
                do {
                    let fresh = try SystemCall.makePipe(nonBlocking: true)
                    replacement = fresh.readEnd.rawValue == taken ? taken : fresh.writeEnd.rawValue
                    _ = try loop.register(fresh.readEnd.rawValue, .readable) { _ in strayCalls += 1 }
                    let ends = fresh.shared()
                    pipes[2] = (ends.readEnd, ends.writeEnd)
                    #expect(pipes[2]?.read.rawValue == taken, "the number is not reused; the test proves nothing")
                } catch {
                    Issue.record(error)
                }
            }
        }
        for index in 0..<2 { _ = try SystemCall.write(try #require(pipes[index]?.write.rawValue), [1]) }
        try loop.runOnce(timeout: .seconds(1))
        #expect(calls == 1)
        #expect(replacement >= 0)
        #expect(strayCalls == 0)
    }

    @Test func staleRegistrationCannotUnregisterItsSuccessor() throws {
        let loop = try EventLoop()
        let pipe = try SystemCall.makePipe(nonBlocking: true)
        var calls = 0
        let first = try loop.register(pipe.readEnd.rawValue, .readable) { _ in }
        loop.unregister(first)
        let second = try loop.register(pipe.readEnd.rawValue, .readable) { _ in calls += 1 }
        loop.unregister(first)
        try loop.modify(first, [])
        _ = try SystemCall.write(pipe.writeEnd.rawValue, [1])
        try loop.runOnce(timeout: .seconds(1))
        #expect(calls == 1)
        #expect(loop.isRegistered(second))
        #expect(!loop.isRegistered(first))
    }

    @Test func lastOrderRunsAfterAllOthersOfTheBatch() throws {
        let loop = try EventLoop()
        let pipes = try (0..<6).map { _ in
            try SystemCall.makePipe(nonBlocking: true).shared()
        }
        var order: [Int] = []
        for (index, pipe) in pipes.enumerated() {
            let number = try #require(pipe.0.rawValue)
            _ = try loop.register(number, .readable, order: index < 3 ? .last : .normal) { _ in order.append(index) }
        }
        for pipe in pipes { _ = try SystemCall.write(try #require(pipe.1.rawValue), [1]) }
        try loop.runOnce(timeout: .seconds(1))
        #expect(order == [3, 4, 5, 0, 1, 2])
    }

    @Test func timersFireInOrderOfDeadlineThenOfScheduling() throws {
        let loop = try EventLoop()
        let start = MonotonicClock.now()
        var fired: [Int] = []
        for (index, milliseconds) in [30, 10, 20, 10, 0].enumerated() {
            loop.schedule(at: start.advanced(by: .milliseconds(milliseconds))) { fired.append(index) }
        }
        let cancelled = loop.schedule(at: start.advanced(by: .milliseconds(15))) { fired.append(99) }
        loop.cancel(cancelled)
        try loop.pump("all timers") { fired.count == 5 }
        #expect(fired == [4, 1, 3, 2, 0])
        #expect(start.duration(to: loop.now) >= .milliseconds(30))
    }

    @Test func aTimerMayScheduleAndCancelOthers() throws {
        let loop = try EventLoop()
        let start = MonotonicClock.now()
        var fired: [String] = []
        var victim: TimerID?
        loop.schedule(at: start) {
            fired.append("first")
            if let victim { loop.cancel(victim) }
            loop.schedule(at: start) { fired.append("second") }
        }
        victim = loop.schedule(at: start) { fired.append("victim") }
        try loop.runOnce(timeout: .zero)
        #expect(fired == ["first"])
        try loop.runOnce(timeout: .zero)
        #expect(fired == ["first", "second"])
    }

    @Test func anIdleLoopIsNotWokenByACancelledTimer() throws {
        let loop = try EventLoop()
        let pipe = try SystemCall.makePipe()
        let keep = loop.schedule(at: MonotonicClock.now().advanced(by: .milliseconds(5))) {}
        // Arms the timer.
        try loop.runOnce(timeout: .zero)
        loop.cancel(keep)
        let before = MonotonicClock.now()
        try loop.runOnce(timeout: .milliseconds(60))
        #expect(before.duration(to: MonotonicClock.now()) >= .milliseconds(59), "woken without a reason")
        _ = pipe.readEnd.rawValue
    }

    @Test func registrationReportsTheKernelsRefusal() throws {
        let loop = try EventLoop()
        let pipe = try SystemCall.makePipe()
        let number = pipe.readEnd.rawValue
        FaultInjection.during("epoll_ctl", errno: 28, .times(1)) {
            #expect(throws: SystemError(call: "epoll_ctl", errno: 28)) {
                _ = try loop.register(number, .readable) { _ in }
            }
        }
        _ = try loop.register(number, .readable) { _ in }
    }

    @Test func stopEndsTheRun() throws {
        let loop = try EventLoop()
        var count = 0
        loop.schedule(at: .zero) {
            count += 1
            loop.stop()
        }
        try loop.run()
        #expect(count == 1)
    }
}
