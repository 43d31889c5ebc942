import LinuxSystem
import MonotonicTime
import Testing

@testable import SupervisorRuntime

/// What a service manager hears of the runtime, at a real notify socket.
@Suite(.timeLimit(.minutes(1))) struct ServiceManagerLinkTests {
    let loop: EventLoop
    let manager: NotifySocket
    let link: ServiceManagerLink

    init() throws {
        loop = try EventLoop()
        let pid = SystemCall.processID()
        manager = try NotifySocket(path: "/tmp/holdfast-manager-\(pid)-\(UInt32.random(in: 0 ... .max))")
        link = try ServiceManagerLink(
            loop: loop,
            environment: ServiceEnvironment(notifySocket: manager.path, watchdogPeriod: .milliseconds(20)))
    }

    private func heard() throws -> [NotifyField] {
        var fields: [NotifyField] = []
        while let message = try manager.receive() { fields += message.fields }
        return fields
    }

    /// One turn of the loop with a timer in it.
    private func turn() throws {
        var isOver = false
        loop.schedule(at: MonotonicClock.now() + .milliseconds(15)) { isOver = true }
        while !isOver { try loop.runOnce(timeout: .seconds(1)) }
    }

    @Test func `it is ready with its status, and pings once the turn is over`() throws {
        link.summary = { "3 workers: 3 ready" }
        link.started()
        #expect(try heard() == [.ready, .status("3 workers: 3 ready")])
        link.turnEnded()
        #expect(try heard() == [.watchdogPing])
        link.turnEnded()
        #expect(try heard().isEmpty)
        try turn()
        link.turnEnded()
        #expect(try heard() == [.watchdogPing])
    }

    @Test func `a turn that does not end is not alive, though timers fire`() throws {
        link.started()
        for _ in 0..<5 { try turn() }
        #expect(try heard() == [.ready])
    }

    @Test func `a tree whose deadline passes without being served is not alive`() throws {
        link.started()
        link.turnEnded()
        #expect(try heard() == [.ready, .watchdogPing])
        let deadline = MonotonicClock.now()
        link.treeDeadline = { deadline }
        try turn()
        try turn()
        link.turnEnded()
        #expect(try heard().isEmpty)
        link.treeDeadline = { nil }
        link.turnEnded()
        #expect(try heard() == [.watchdogPing])
    }

    @Test func `the status changes at once a few times, then once a second`() throws {
        var count = 0
        link.summary = {
            count += 1
            return "\(count)"
        }
        for _ in 0..<50 {
            link.stateChanged()
            link.turnEnded()
        }
        #expect(try heard() == (1...8).map { .status("\($0)") })
    }

    @Test func `a status that stays the same is not repeated`() throws {
        link.summary = { "idle" }
        for _ in 0..<3 {
            link.stateChanged()
            link.turnEnded()
        }
        #expect(try heard() == [.status("idle")])
    }

    @Test func `a reload begins and ends`() throws {
        link.reloading()
        link.reloaded()
        #expect(try heard() == [.reloading, .ready])
    }

    @Test func `a stop asks for time as long as its plans grant, and no longer`() throws {
        link.stopping(atMost: .seconds(60))
        #expect(try heard() == [.stopping, .extendTimeout(.seconds(20))])
        link.stopping(atMost: .zero)
        #expect(try heard() == [.stopping])
    }

    @Test func `without a service manager nothing is said and nothing wakes`() throws {
        let alone = try ServiceManagerLink(loop: loop, environment: ServiceEnvironment())
        alone.summary = {
            Issue.record("nobody asked")
            return ""
        }
        alone.started()
        alone.stateChanged()
        alone.turnEnded()
        alone.reloading()
        alone.reloaded()
        alone.stopping(atMost: .seconds(60))
        #expect(try heard().isEmpty)
    }
}
