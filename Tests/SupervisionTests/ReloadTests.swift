import MonotonicTime
import Supervision
import Testing

/// Reloads in the middle of things: workers and supervisors that find themselves in another place.
@Suite struct ReloadTests {
    private static func supervisor(
        _ name: String, maxRestarts: Int = 10, _ children: [ChildSpecification]
    ) -> ChildSpecification {
        .supervisor(
            SupervisorSpecification(
                name: name, intensity: RestartIntensity(maxRestarts: maxRestarts),
                onIntensityExceeded: .park(retryAfter: .seconds(60)), children: children))
    }

    private static func worker(_ name: String) -> ChildSpecification { .worker(WorkerSpecification(name: name)) }

    @Test func `a worker that moves below a new supervisor keeps its process`() throws {
        var fixture = TreeFixture([Self.worker("a")])
        fixture.send(.started)
        try fixture.spawned("a")
        let instance = try fixture.instance("a")
        _ = fixture.take()
        fixture.reload([Self.supervisor("new", [Self.worker("a"), Self.worker("b")])])
        #expect(fixture.state("a") == .ready)
        #expect(try fixture.instance("a") == instance)
        #expect(fixture.supervisor("new")?.state == .up)
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["b"])
    }

    @Test func `a shutdown waits for a worker that was moved below a parked supervisor`() throws {
        var fixture = TreeFixture([Self.supervisor("s", maxRestarts: 0, [Self.worker("b")]), Self.worker("a")])
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("b")
        #expect(fixture.supervisor("s")?.state == .parked)
        fixture.reload([Self.supervisor("s", maxRestarts: 0, [Self.worker("b"), Self.worker("a")])])
        #expect(fixture.state("a") == .stopping)
        fixture.send(.shutdownRequested)
        #expect(!fixture.take().contains(.completeShutdown))
        try fixture.exit("a", .signaled(.terminate, coreDumped: false))
        #expect(fixture.take().last == .completeShutdown)
    }

    private static func worker(_ name: String, launch: String) -> ChildSpecification {
        var worker = WorkerSpecification(name: name)
        worker.launch = LaunchFingerprint(launch)
        return .worker(worker)
    }

    private static func crashing(_ launch: String, _ name: String = "s") -> ChildSpecification {
        supervisor(name, maxRestarts: 1, [worker("a", launch: launch), worker("b", launch: "b")])
    }

    @Test func `another program is a new beginning, also below a supervisor that is parked`() throws {
        var fixture = TreeFixture([Self.crashing("old")])
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("a")
        try fixture.spawned("a")
        try fixture.exit("a")
        // What is refused is the restart after the wait.
        fixture.pass(.seconds(1))
        #expect(fixture.state("b") == .stopping)
        try fixture.exit("b", .signaled(.terminate, coreDumped: false))
        #expect(fixture.supervisor("s")?.state == .parked)
        fixture.reload([Self.crashing("old")])
        #expect(fixture.supervisor("s")?.state == .parked, "the same one is none")
        _ = fixture.take()
        fixture.reload([Self.crashing("new")])
        #expect(fixture.supervisor("s")?.state == .up)
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["a", "b"])
        // It may fail as often as the one before.
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("a")
        #expect(fixture.supervisor("s")?.state == .up)
    }

    @Test func `a supervisor that is about to be parked starts again instead, in order`() throws {
        var fixture = TreeFixture([Self.crashing("old")])
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("a")
        try fixture.spawned("a")
        try fixture.exit("a")
        // What is refused is the restart after the wait.
        fixture.pass(.seconds(1))
        #expect(fixture.state("b") == .stopping)
        fixture.reload([Self.crashing("new")])
        _ = fixture.take()
        try fixture.exit("b", .signaled(.terminate, coreDumped: false))
        #expect(fixture.supervisor("s")?.state == .up)
        #expect(TreeFixture.spawns(in: fixture.take(), of: fixture.tree) == ["a", "b"])
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("a")
        #expect(fixture.supervisor("s")?.state == .up)
    }

    @Test func `a supervisor that goes down with its parent and is moved to another one comes up there`() throws {
        let inner = Self.supervisor("inner", [Self.worker("a")])
        var fixture = TreeFixture([
            Self.supervisor("first", maxRestarts: 0, [Self.worker("b"), inner]), Self.supervisor("second", []),
        ])
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("b")
        #expect(fixture.state("a") == .stopping)
        fixture.reload([
            Self.supervisor("first", maxRestarts: 0, [Self.worker("b")]), Self.supervisor("second", [inner]),
        ])
        try fixture.exit("a", .signaled(.terminate, coreDumped: false))
        #expect(fixture.supervisor("inner")?.state == .up)
        #expect(fixture.state("a") == .starting)
    }

    @Test func `a worker that a reload resumes lets others start only as the new configuration says`() throws {
        var first = WorkerSpecification(name: "a", readiness: .notify)
        var second = WorkerSpecification(name: "b", startGate: .previousReady, launch: LaunchFingerprint("old"))
        var fixture = TreeFixture([.worker(first), .worker(second)])
        fixture.send(.started)
        try fixture.spawned("a")
        fixture.send(.pauseRequested(try fixture.id("a"), .heat))
        try fixture.notify("a", .ready)
        #expect(fixture.status("b")?.heldFor == "after a")
        first.isEssential = true
        second.launch = LaunchFingerprint("new")
        _ = fixture.take()
        fixture.reload([.worker(first), .worker(second)])
        #expect(fixture.state("a") == .ready)
        #expect(fixture.state("b") == .starting)
        let actions = fixture.take()
        #expect(TreeFixture.spawns(in: actions, of: fixture.tree) == ["b"])
        #expect(TreeFixture.stops(in: actions, of: fixture.tree).isEmpty)
    }
}
