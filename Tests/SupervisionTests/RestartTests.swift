import MonotonicTime
import Supervision
import Testing

@Suite struct RestartTests {
    @Test func `a killed worker is replaced at once, and only when its group is gone`() throws {
        var fixture = TreeFixture([.worker(WorkerSpecification(name: "a"))])
        fixture.send(.started)
        try fixture.spawned("a")
        #expect(fixture.state("a") == .ready)
        _ = fixture.take()

        let (id, first) = (try fixture.id("a"), try fixture.instance("a"))
        fixture.send(.exited(id, first, .signaled(.kill, coreDumped: false)))
        var actions = fixture.take()
        #expect(actions.contains(.killGroup(id, first)))
        #expect(TreeFixture.spawns(in: actions, of: fixture.tree).isEmpty)

        fixture.send(.groupEmptied(id, first))
        actions = fixture.take()
        #expect(TreeFixture.spawns(in: actions, of: fixture.tree) == ["a"])
        #expect(try fixture.instance("a") != first)
        #expect(fixture.status("a")?.restarts == 1)
    }

    @Test func `the wait doubles from the second failure on, up to its maximum, and a stable run forgets it`() throws {
        let backoff = Backoff(
            initial: .milliseconds(100), maximum: .milliseconds(350), jitter: 0, stableAfter: .seconds(10))
        var fixture = TreeFixture([.worker(WorkerSpecification(name: "a", backoff: backoff))])
        fixture.send(.started)
        var waits: [Duration] = []
        for _ in 0..<5 {
            try fixture.spawned("a")
            try fixture.exit("a")
            let until = fixture.state("a") == .backingOff ? fixture.status("a")?.nextAttempt : fixture.now
            waits.append(fixture.now.duration(to: try #require(until)))
            fixture.pass(try #require(waits.last))
        }
        #expect(waits == [.zero, .milliseconds(100), .milliseconds(200), .milliseconds(350), .milliseconds(350)])

        try fixture.spawned("a")
        fixture.pass(.seconds(10))
        try fixture.exit("a")
        #expect(fixture.state("a") == .starting)
    }

    @Test func `ten crashes spread over a year do not retire a worker`() throws {
        var fixture = TreeFixture([
            .worker(WorkerSpecification(name: "a", attempts: AttemptLimit(maximum: 3, retryAfterGivingUp: nil)))
        ])
        fixture.send(.started)
        for _ in 0..<10 {
            try fixture.spawned("a")
            fixture.pass(.seconds(36 * 24 * 3600))
            try fixture.exit("a")
            #expect(fixture.state("a") == .starting)
        }
    }

    @Test func `a worker that uses up its attempts fails alone and is tried again on its slow schedule`() throws {
        var fixture = TreeFixture([
            .worker(
                WorkerSpecification(
                    name: "a", attempts: AttemptLimit(maximum: 1, retryAfterGivingUp: .seconds(60)))),
            .worker(WorkerSpecification(name: "b")),
        ])
        fixture.send(.started)
        try fixture.spawned("b")
        for _ in 0..<2 {
            try fixture.spawned("a")
            try fixture.exit("a")
        }
        #expect(fixture.state("a") == .failed)
        #expect(fixture.status("a")?.attemptsLeft == 0)
        #expect(fixture.state("b") == .ready)
        fixture.pass(.seconds(60))
        #expect(fixture.state("a") == .starting)
    }

    @Test(arguments: [
        (RestartPolicy.always, Supervision.ExitStatus.exited(code: 0), WorkerState.starting),
        (.always, .exited(code: 1), .starting),
        (.onFailure, .exited(code: 0), .finished),
        (.onFailure, .exited(code: 1), .starting),
        (.onFailure, .unknown, .starting),
        (.never, .exited(code: 0), .finished),
        (.never, .signaled(.kill, coreDumped: false), .failed),
    ])
    func `the restart policy decides by how the worker ended`(
        policy: RestartPolicy, status: Supervision.ExitStatus, state: WorkerState
    ) throws {
        var fixture = TreeFixture([.worker(WorkerSpecification(name: "a", restart: policy))])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.exit("a", status)
        #expect(fixture.state("a") == state)
    }
}
