import MonotonicTime
import Supervision
import Testing

@Suite struct StrategyTests {
    static func vision(
        _ strategy: RestartStrategy, intensity: RestartIntensity = RestartIntensity(),
        onIntensityExceeded: IntensityReaction = .park(retryAfter: .seconds(60))
    ) -> TreeFixture {
        TreeFixture([
            .supervisor(
                SupervisorSpecification(
                    name: "vision", strategy: strategy, intensity: intensity,
                    onIntensityExceeded: onIntensityExceeded,
                    children: ["a", "b", "c"].map { .worker(WorkerSpecification(name: $0)) })),
            .worker(WorkerSpecification(name: "other")),
        ])
    }

    @Test(arguments: [
        (RestartStrategy.oneForOne, [String](), ["b"]),
        (.oneForAll, ["c", "a"], ["a", "b", "c"]),
        (.restForOne, ["c"], ["b", "c"]),
    ])
    func `the strategy decides which siblings stop in reverse and start in order`(
        strategy: RestartStrategy, stopped: [String], started: [String]
    ) throws {
        var fixture = Self.vision(strategy)
        fixture.send(.started)
        for name in ["a", "b", "c", "other"] { try fixture.spawned(name) }
        _ = fixture.take()
        try fixture.exit("b")
        for name in stopped {
            #expect(TreeFixture.stops(in: fixture.actions, of: fixture.tree).last == name)
            try fixture.exit(name, .signaled(.terminate, coreDumped: false))
        }
        #expect(TreeFixture.stops(in: fixture.actions, of: fixture.tree) == stopped)
        #expect(TreeFixture.spawns(in: fixture.actions, of: fixture.tree) == started)
        #expect(fixture.tree.status(at: fixture.now).supervisors[1].restartsInWindow == 1)
    }

    @Test func `a supervisor whose intensity is exceeded parks its children and starts them again later`() throws {
        var fixture = Self.vision(.oneForOne, intensity: RestartIntensity(maxRestarts: 1, within: .seconds(30)))
        fixture.send(.started)
        for name in ["a", "b", "c", "other"] { try fixture.spawned(name) }
        try fixture.exit("a")
        try fixture.spawned("a")
        _ = fixture.take()
        try fixture.exit("b")
        let refused = RefusedRestart(
            child: "b", worker: try fixture.id("b"), intensity: RestartIntensity(maxRestarts: 1, within: .seconds(30)))
        #expect(
            fixture.take().contains(
                .report(
                    .intensityExceeded(
                        supervisor: "vision", refused: refused, reaction: .park(retryAfter: .seconds(60))))))
        try fixture.exit("c", .exited(code: 0))
        try fixture.exit("a", .exited(code: 0))
        #expect(fixture.tree.status(at: fixture.now).supervisors[1].state == .parked)
        #expect(fixture.status("b")?.heldFor == "supervisor vision is parked")
        #expect(fixture.state("other") == .ready)
        fixture.pass(.seconds(60))
        for name in ["a", "b", "c"] { try fixture.spawned(name) }
        #expect(fixture.tree.status(at: fixture.now).supervisors[1].restartsInWindow == 0)
    }

    @Test func `an escalating supervisor is restarted by its parent`() throws {
        var fixture = Self.vision(
            .oneForOne, intensity: RestartIntensity(maxRestarts: 0, within: .seconds(30)),
            onIntensityExceeded: .escalate)
        fixture.send(.started)
        for name in ["a", "b", "c", "other"] { try fixture.spawned(name) }
        try fixture.exit("b")
        try fixture.exit("c", .exited(code: 0))
        try fixture.exit("a", .exited(code: 0))
        for name in ["a", "b", "c"] { #expect(fixture.state(name) == .starting) }
        #expect(fixture.state("other") == .ready)
        #expect(fixture.tree.status(at: fixture.now).supervisors[0].restartsInWindow == 1)
    }

    @Test func `a worker that asks for ready predecessors waits for them`() throws {
        var fixture = TreeFixture([
            .worker(WorkerSpecification(name: "a", readiness: .notify)),
            .worker(WorkerSpecification(name: "b", startGate: .previousReady)),
        ])
        fixture.send(.started)
        try fixture.spawned("a")
        #expect(fixture.state("b") == .waiting)
        #expect(fixture.status("b")?.heldFor == "after a")
        try fixture.notify("a", .ready)
        #expect(fixture.state("b") == .starting)
    }

    @Test func `a parked supervisor whose workers nobody wants holds up no start gate`() throws {
        var fixture = TreeFixture([
            .supervisor(
                SupervisorSpecification(
                    name: "s", intensity: RestartIntensity(maxRestarts: 0),
                    children: [.worker(WorkerSpecification(name: "a", readiness: .notify))])),
            .worker(WorkerSpecification(name: "b", startGate: .previousReady)),
        ])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.exit("a")
        #expect(fixture.supervisor("s")?.state == .parked)
        #expect(fixture.status("b")?.heldFor == "after s")
        fixture.send(.operatorRequested(try fixture.id("a"), .stop))
        #expect(fixture.state("b") == .starting)
    }

    @Test func `a shutdown stops everything in reverse and starts nothing any more`() throws {
        var fixture = Self.vision(.oneForAll)
        fixture.send(.started)
        for name in ["a", "b", "c", "other"] { try fixture.spawned(name) }
        _ = fixture.take()
        fixture.send(.shutdownRequested)
        for name in ["other", "c", "b", "a"] {
            #expect(TreeFixture.stops(in: fixture.actions, of: fixture.tree).last == name)
            try fixture.exit(name, .signaled(.terminate, coreDumped: false))
        }
        let actions = fixture.take()
        #expect(actions.last == .completeShutdown)
        #expect(TreeFixture.spawns(in: actions, of: fixture.tree).isEmpty)
        fixture.pass(.seconds(3600))
        #expect(fixture.take().isEmpty)
    }
}
