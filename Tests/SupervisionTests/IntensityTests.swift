import MonotonicTime
import Supervision
import Testing

/// What is charged to a restart intensity, and what becomes of restarts that it refuses.
@Suite struct IntensityTests {
    private static func group(
        _ children: [WorkerSpecification], maxRestarts: Int, within: Duration = .seconds(3600)
    ) -> ChildSpecification {
        .supervisor(
            SupervisorSpecification(
                name: "s", intensity: RestartIntensity(maxRestarts: maxRestarts, within: within),
                onIntensityExceeded: .park(retryAfter: .seconds(60)), children: children.map { .worker($0) }))
    }

    private static let slowly = Backoff(initial: .seconds(10), maximum: .seconds(10), jitter: 0)

    @Test func `the slow retry of a worker that was parked alone is free, even with no restarts allowed`() throws {
        var fixture = TreeFixture(
            [.worker(WorkerSpecification(name: "a"))], intensity: RestartIntensity(maxRestarts: 0, scope: .perChild))
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.exit("a")
        #expect(fixture.state("a") == .failed)
        fixture.pass(.seconds(300))
        #expect(fixture.state("a") == .starting)
    }

    @Test func `a child that failed before its supervisor was parked starts with it and is charged to nobody`() throws {
        var fixture = TreeFixture([
            Self.group([WorkerSpecification(name: "a"), WorkerSpecification(name: "b")], maxRestarts: 0)
        ])
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        // It owes a restart, which is put off until it may run.
        fixture.send(.pauseRequested(try fixture.id("b"), .heat))
        try fixture.exit("b")
        #expect(fixture.state("b") == .held)
        try fixture.exit("a")
        #expect(fixture.supervisor("s")?.state == .parked)
        fixture.send(.resumeRequested(try fixture.id("b"), .heat))
        fixture.pass(.seconds(60))
        #expect(fixture.state("a") == .starting && fixture.state("b") == .starting)
        #expect(fixture.supervisor("s")?.restartsInWindow == 0)
    }

    @Test func `a late try that is refused waits for its parked supervisor, and wakes nobody until then`() throws {
        var worker = WorkerSpecification(name: "a")
        worker.attempts = AttemptLimit(maximum: 1, retryAfterGivingUp: .seconds(10))
        var fixture = TreeFixture([Self.group([worker], maxRestarts: 1)])
        fixture.send(.started)
        for _ in 0..<2 {
            try fixture.spawned("a")
            try fixture.exit("a")
        }
        #expect(fixture.state("a") == .failed)
        fixture.now = fixture.now + .seconds(10)
        fixture.send(.deadlineReached)
        #expect(fixture.supervisor("s")?.state == .parked)
        #expect(fixture.status("a")?.heldFor == "supervisor s is parked")
        #expect(fixture.tree.nextDeadline == fixture.now + .seconds(60))
    }

    @Test func `a worker whose back-off ends while its supervisor is parked starts at its gate`() throws {
        let gated = WorkerSpecification(name: "b", startGate: .previousReady, backoff: Self.slowly)
        var fixture = TreeFixture([
            Self.group([WorkerSpecification(name: "a", readiness: .notify), gated], maxRestarts: 1)
        ])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        for _ in 0..<2 {
            try fixture.spawned("b")
            try fixture.exit("b")
        }
        #expect(fixture.state("b") == .backingOff)
        try fixture.exit("a")
        #expect(fixture.supervisor("s")?.state == .parked)
        fixture.pass(.seconds(60))
        #expect(fixture.state("a") == .starting)
        #expect(fixture.status("b")?.heldFor == "after a")
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        #expect(fixture.state("b") == .starting)
    }

    @Test func `a worker whose own restart was refused goes through its gate when a reload starts it`() throws {
        var gated = WorkerSpecification(name: "b", startGate: .previousReady, backoff: Self.slowly)
        let first = WorkerSpecification(name: "a", readiness: .notify)
        var fixture = TreeFixture(
            [.worker(first), .worker(gated)], intensity: RestartIntensity(maxRestarts: 1, scope: .perChild))
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        for _ in 0..<2 {
            try fixture.spawned("b")
            try fixture.exit("b")
        }
        fixture.pass(.seconds(10))
        #expect(fixture.state("b") == .failed)
        fixture.send(.operatorRequested(try fixture.id("a"), .restart))
        gated.launch = LaunchFingerprint("new")
        fixture.reload([.worker(first), .worker(gated)])
        #expect(fixture.status("b")?.heldFor == "after a")
    }

    /// `inner` escalates at its first failure to `outer`, which is allowed no restart.
    private static func nested(
        _ strategy: RestartStrategy, _ before: [WorkerSpecification], after: [WorkerSpecification] = []
    ) -> ChildSpecification {
        let inner = SupervisorSpecification(
            name: "inner", intensity: RestartIntensity(maxRestarts: 0), onIntensityExceeded: .escalate,
            children: [.worker(WorkerSpecification(name: "x"))])
        return .supervisor(
            SupervisorSpecification(
                name: "outer", strategy: strategy, intensity: RestartIntensity(maxRestarts: 0),
                onIntensityExceeded: .park(retryAfter: .seconds(60)),
                children: before.map { .worker($0) } + [.supervisor(inner)] + after.map { .worker($0) }))
    }

    @Test(arguments: [RestartStrategy.oneForAll, .restForOne])
    func `a supervisor whose restart is refused parks its parent before any sibling is restarted`(
        strategy: RestartStrategy
    ) throws {
        var fixture = TreeFixture([
            Self.nested(strategy, [WorkerSpecification(name: "a")], after: [WorkerSpecification(name: "b")])
        ])
        fixture.send(.started)
        for name in ["a", "x", "b"] { try fixture.spawned(name) }
        _ = fixture.take()
        try fixture.exit("x")
        let refused = RefusedRestart(child: "inner", intensity: RestartIntensity(maxRestarts: 0))
        #expect(
            fixture.actions.contains(
                .report(
                    .intensityExceeded(
                        supervisor: "outer", refused: refused, reaction: .park(retryAfter: .seconds(60))))))
        for name in ["b", "a"] { try fixture.exit(name, .signaled(.terminate, coreDumped: false)) }
        #expect(fixture.supervisor("outer")?.state == .parked)
        #expect(TreeFixture.stops(in: fixture.actions, of: fixture.tree) == ["b", "a"])
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree).isEmpty)
        fixture.pass(.seconds(60))
        #expect(TreeFixture.spawns(in: fixture.actions, of: fixture.tree) == ["a", "x", "b"])
    }

    @Test func `a supervisor whose restart was refused starts in its place once its parent is tried again`() throws {
        let gated = WorkerSpecification(name: "b", startGate: .previousReady)
        var fixture = TreeFixture([
            Self.nested(.oneForOne, [WorkerSpecification(name: "a", readiness: .notify), gated])
        ])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        for name in ["b", "x"] { try fixture.spawned(name) }
        try fixture.exit("x")
        for name in ["b", "a"] { try fixture.exit(name, .signaled(.terminate, coreDumped: false)) }
        #expect(fixture.supervisor("outer")?.state == .parked)
        _ = fixture.take()
        fixture.pass(.seconds(60))
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["a"])
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["b", "x"])
    }

    @Test func `a parked supervisor whose schedule ends during a group restart starts with its group`() throws {
        let inner = SupervisorSpecification(
            name: "inner", intensity: RestartIntensity(maxRestarts: 0),
            onIntensityExceeded: .park(retryAfter: .seconds(5)), children: [.worker(WorkerSpecification(name: "x"))])
        var fixture = TreeFixture([
            .supervisor(
                SupervisorSpecification(
                    name: "outer", strategy: .oneForAll,
                    children: [
                        .worker(WorkerSpecification(name: "a", readiness: .notify)),
                        .worker(WorkerSpecification(name: "b", startGate: .previousReady)),
                        .supervisor(inner), .worker(WorkerSpecification(name: "c")),
                    ]))
        ])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        for name in ["b", "x", "c"] { try fixture.spawned(name) }
        try fixture.exit("x")
        #expect(fixture.supervisor("inner")?.state == .parked)
        try fixture.exit("a")
        fixture.pass(.seconds(5))
        _ = fixture.take()
        for name in ["c", "b"] { try fixture.exit(name, .signaled(.terminate, coreDumped: false)) }
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["a"])
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["b", "x", "c"])
    }
}
