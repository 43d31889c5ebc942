import MonotonicTime
import Supervision
import Testing

/// What the status says of those that are down, and of allowances.
@Suite struct StatusTests {
    /// `p` holds a worker that crashes, a cousin, and `q` with a worker that does nothing wrong.
    private static func nested(_ reaction: IntensityReaction) throws -> TreeFixture {
        let q = SupervisorSpecification(
            name: "q", children: [.worker(WorkerSpecification(name: "innocent")), .worker(Self.unwanted)])
        var fixture = TreeFixture([
            .supervisor(
                SupervisorSpecification(
                    name: "p", intensity: RestartIntensity(maxRestarts: 1), onIntensityExceeded: reaction,
                    children: [
                        .worker(WorkerSpecification(name: "crashing")), .worker(WorkerSpecification(name: "cousin")),
                        .supervisor(q),
                    ]))
        ])
        fixture.send(.started)
        for name in ["crashing", "cousin", "innocent"] { try fixture.spawned(name) }
        try fixture.exit("crashing")
        try fixture.spawned("crashing")
        try fixture.exit("crashing")
        fixture.pass(.seconds(1))
        return fixture
    }

    private static var unwanted: WorkerSpecification {
        WorkerSpecification(name: "unwanted", startsAutomatically: false)
    }

    @Test(arguments: [nil, Duration.seconds(60)])
    func `a worker below a nested supervisor waits with all others for the supervisor that is parked`(
        retryAfter: Duration?
    ) throws {
        var fixture = try Self.nested(.park(retryAfter: retryAfter))
        for name in ["innocent", "cousin"] { try fixture.exit(name, .signaled(.terminate, coreDumped: false)) }
        let next = fixture.supervisor("p")?.nextAttempt
        #expect((next == nil) == (retryAfter == nil))
        for name in ["innocent", "cousin", "crashing"] {
            #expect(fixture.state(name) == .waiting, "\(name)")
            #expect(fixture.status(name)?.heldFor == "supervisor p is parked", "\(name)")
            #expect(fixture.status(name)?.nextAttempt == next, "\(name)")
        }
        #expect(fixture.supervisor("q")?.state == .down)
        #expect(fixture.supervisor("q")?.nextAttempt == next)
        #expect(fixture.state("unwanted") == .stopped)
        #expect(fixture.status("unwanted")?.heldFor == nil)
        fixture.send(.operatorRequested(try fixture.id("innocent"), .start))
        #expect(fixture.state("innocent") == .starting && fixture.state("unwanted") == .stopped)
    }

    @Test func `a worker that a reload adds below a parked supervisor waits for it`() throws {
        var fixture = try Self.nested(.park(retryAfter: .seconds(60)))
        for name in ["innocent", "cousin"] { try fixture.exit(name, .signaled(.terminate, coreDumped: false)) }
        let q = SupervisorSpecification(name: "q", children: [.worker(WorkerSpecification(name: "late"))])
        fixture.reload([
            .supervisor(
                SupervisorSpecification(
                    name: "p", intensity: RestartIntensity(maxRestarts: 1),
                    onIntensityExceeded: .park(retryAfter: .seconds(60)), children: [.supervisor(q)]))
        ])
        #expect(fixture.state("late") == .waiting)
        #expect(fixture.status("late")?.heldFor == "supervisor p is parked")
    }

    @Test func `workers of a supervisor that is not up yet wait for it from the start`() throws {
        let q = SupervisorSpecification(name: "q", children: [.worker(WorkerSpecification(name: "b"))])
        var fixture = TreeFixture([
            .worker(WorkerSpecification(name: "slow", readiness: .notify)),
            .worker(WorkerSpecification(name: "gated", startGate: .previousReady)), .supervisor(q),
        ])
        fixture.send(.started)
        #expect(fixture.state("b") == .waiting)
        #expect(fixture.status("b")?.heldFor == "supervisor q is down")
        fixture.send(.shutdownRequested)
        try fixture.exit("slow", .signaled(.terminate, coreDumped: false))
        #expect(fixture.state("b") == .stopped)
    }

    @Test(arguments: [
        (RestartIntensity.Scope.shared, 5),
        (.perChild, 3),
    ])
    func `restarts are shown as they count against what is allowed`(
        scope: RestartIntensity.Scope, restarts: Int
    ) throws {
        var fixture = TreeFixture(
            ["a", "b"].map {
                .worker(WorkerSpecification(name: $0, backoff: Backoff(stableAfter: .milliseconds(1))))
            }, intensity: RestartIntensity(maxRestarts: 10, scope: scope))
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        for name in ["a", "b", "a", "b", "a"] {
            fixture.pass(.milliseconds(10))
            try fixture.exit(name)
            try fixture.spawned(name)
        }
        #expect(fixture.supervisor("root")?.restartsInWindow == restarts)
    }

    @Test func `restarts of a child that has left the tree use no allowance`() throws {
        var fixture = TreeFixture(["a", "b"].map { .worker(WorkerSpecification(name: $0)) })
        fixture.send(.started)
        for name in ["a", "b"] { try fixture.spawned(name) }
        try fixture.exit("a")
        #expect(fixture.supervisor("root")?.restartsInWindow == 1)
        fixture.reload([.worker(WorkerSpecification(name: "b"))])
        #expect(fixture.supervisor("root")?.restartsInWindow == 0)
    }

    @Test func `a worker that was parked alone says so, one that used up its attempts does not`() throws {
        var givenUp = WorkerSpecification(name: "given-up")
        givenUp.attempts = AttemptLimit(maximum: 0)
        var fixture = TreeFixture(
            [.worker(WorkerSpecification(name: "parked")), .worker(givenUp)],
            intensity: RestartIntensity(maxRestarts: 0, scope: .perChild))
        fixture.send(.started)
        for name in ["parked", "given-up"] {
            try fixture.spawned(name)
            try fixture.exit(name)
            #expect(fixture.state(name) == .failed)
        }
        #expect(fixture.status("parked")?.heldFor == "the restart intensity of root is exceeded")
        #expect(fixture.status("given-up")?.heldFor == nil)
    }
}
