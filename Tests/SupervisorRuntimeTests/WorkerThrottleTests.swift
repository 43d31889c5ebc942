import LinuxSystem
import MonotonicTime
import Supervision
import TestSupport
import Testing

@testable import SupervisorRuntime

/// A real worker with a second process, throttled and let go.
@Suite(.timeLimit(.minutes(1))) final class WorkerThrottleTests {
    private let loop: EventLoop
    private let process: WorkerProcess
    private let throttle = WorkerThrottle()
    private let share = WorkerThrottle.Share(niceness: 3, limit: nil)

    init() throws {
        loop = try EventLoop()
        var request = SpawnRequest(
            executable: "/bin/sh", arguments: ["sh", "-c", "sleep 1000 & wait"], environment: ["PATH=/usr/bin:/bin"])
        request.niceness = 3
        let main = try ChildProcess.spawn(request)
        process = WorkerProcess(
            worker: WorkerID(rawValue: 1), instance: InstanceID(rawValue: 1), main: main,
            group: ProcessGroup(leader: main))
        try loop.pump("a second process") { [process] in process.group.members().count == 2 }
        try loop.pump("its niceness") { [process] in
            process.group.members().allSatisfy { (try? SystemCall.niceness(of: $0)) == 3 }
        }
    }

    deinit {
        process.group.kill()
        try? loop.pump("the end") { [process] in process.main.exit(keepingZombie: false) != nil }
    }

    private func priorities() throws -> [[Int32]] {
        try process.group.members().map {
            [Int32(try SystemCall.niceness(of: $0)), try SystemCall.schedulingPolicy(of: $0)?.rawValue ?? -1]
        }
    }

    private var lowered: [Int32] { SystemCall.maySetPriorities ? [13, 3] : [3, 3] }

    @Test func `every process of a worker is throttled, and has all of it back afterwards`() throws {
        #expect(throttle.words == nil)
        throttle.isOn = true
        throttle.apply(to: process, share, isExempt: false)
        #expect(try priorities() == [lowered, lowered])
        #expect(throttle.words == (SystemCall.maySetPriorities ? "nice and SCHED_BATCH" : "SCHED_BATCH"))
        // Again: no more than that.
        throttle.apply(to: process, share, isExempt: false)
        #expect(try priorities() == [lowered, lowered])
        throttle.isOn = false
        throttle.apply(to: process, share, isExempt: false)
        #expect(try priorities() == [[3, 0], [3, 0]])
        #expect(throttle.words == nil)
    }

    @Test func `one that is exempt is left alone, and one that becomes so is let go`() throws {
        throttle.isOn = true
        throttle.apply(to: process, share, isExempt: true)
        #expect(try priorities() == [[3, 0], [3, 0]])
        throttle.apply(to: process, share, isExempt: false)
        throttle.apply(to: process, share, isExempt: true)
        #expect(try priorities() == [[3, 0], [3, 0]])
    }

    @Test func `a policy of its own choice stays`() throws {
        let main = process.main.pid
        try SystemCall.setSchedulingPolicy(of: main, to: .batch)
        throttle.isOn = true
        throttle.apply(to: process, share, isExempt: false)
        throttle.isOn = false
        throttle.apply(to: process, share, isExempt: false)
        #expect(try SystemCall.schedulingPolicy(of: main) == .batch)
        #expect(try SystemCall.niceness(of: main) == 3)
    }

    @Test func `one that is started meanwhile begins throttled, and ends up as it would have begun`() throws {
        throttle.isOn = true
        #expect(throttle.startNiceness(share, isExempt: true) == 3)
        let niceness = throttle.startNiceness(share, isExempt: false)
        #expect(Int32(niceness) == lowered[0])
        // As the spawn does it.
        for pid in process.group.members() { try SystemCall.setNiceness(of: pid, to: niceness) }
        throttle.begin(process, share, isExempt: false)
        #expect(try priorities() == [lowered, [lowered[0], 0]])
        throttle.isOn = false
        throttle.apply(to: process, share, isExempt: false)
        #expect(try priorities().first == [3, 0])
    }

    @Test func `what a holdfastd before has done is taken back by the next one`() throws {
        throttle.isOn = true
        throttle.apply(to: process, share, isExempt: false)
        WorkerThrottle().takeOver(process, share)
        #expect(try priorities() == [[3, 0], [3, 0]])
    }
}
