import MonotonicTime
import Supervision
import Testing

/// What a worker's checkpoints and its probes say of its health.
@Suite struct CheckpointTests {
    static let measured = WorkerSpecification(
        name: "a", readiness: .notify, startTimeout: .seconds(60),
        checkpoints: ["frame": .seconds(5), "upload": .seconds(20)])

    private static func ready(_ specification: WorkerSpecification = measured) throws -> TreeFixture {
        var fixture = TreeFixture([.worker(specification)])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        return fixture
    }

    @Test func `a checkpoint that was never reported is never missed`() throws {
        var fixture = try Self.ready()
        try fixture.notify("a", .checkpoint("other"))
        #expect(fixture.tree.nextDeadline == nil)
        fixture.pass(.seconds(3600))
        #expect(fixture.state("a") == .ready)
    }

    @Test func `a checkpoint that stays out is a failure with its name, as a watchdog's end is`() throws {
        var fixture = try Self.ready()
        try fixture.notify("a", .checkpoint("upload"))
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.seconds(4))
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.milliseconds(4999))
        #expect(fixture.state("a") == .ready)
        let (id, instance) = (try fixture.id("a"), try fixture.instance("a"))
        _ = fixture.take()
        fixture.pass(.milliseconds(1))
        #expect(fixture.take().contains(.killGroup(id, instance)))
        try fixture.exit("a")
        #expect(fixture.status("a")?.lastFailure == .checkpointMissed("frame", within: .seconds(5)))
        #expect(fixture.state("a") == .starting)
    }

    @Test func `nothing is expected of a worker that is not ready yet`() throws {
        var fixture = TreeFixture([.worker(Self.measured)])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.seconds(30))
        #expect(fixture.state("a") == .running)
        try fixture.notify("a", .ready)
        fixture.pass(.milliseconds(4999))
        #expect(fixture.state("a") == .ready)
        fixture.pass(.milliseconds(1))
        #expect(fixture.state("a") == .stopping)
    }

    @Test func `a pause suspends checkpoints, and each that is known gets its whole time afterwards`() throws {
        var fixture = try Self.ready()
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.seconds(4))
        let id = try fixture.id("a")
        fixture.send(.pauseRequested(id, .heat))
        #expect(fixture.tree.nextDeadline == nil)
        fixture.pass(.seconds(3600))
        // It was said before the pause, and is heard only now: it arms nothing.
        try fixture.notify("a", .checkpoint("upload"))
        fixture.send(.resumeRequested(id, .heat))
        fixture.pass(.milliseconds(4999))
        #expect(fixture.state("a") == .ready)
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.milliseconds(4999))
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.milliseconds(4999))
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.milliseconds(4999))
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.milliseconds(4999))
        #expect(fixture.state("a") == .ready)
        fixture.pass(.milliseconds(1))
        #expect(fixture.state("a") == .stopping)
    }

    @Test func `a new process has come past no checkpoint yet`() throws {
        var fixture = try Self.ready()
        try fixture.notify("a", .checkpoint("frame"))
        try fixture.exit("a")
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        fixture.pass(.seconds(3600))
        #expect(fixture.state("a") == .ready)
    }

    @Test func `a reload changes checkpoints without a restart`() throws {
        var fixture = try Self.ready()
        let instance = try fixture.instance("a")
        try fixture.notify("a", .checkpoint("frame"))
        try fixture.notify("a", .checkpoint("upload"))
        var changed = Self.measured
        changed.checkpoints = ["frame": .seconds(60)]
        fixture.reload([.worker(changed)])
        #expect(try fixture.instance("a") == instance)
        fixture.pass(.seconds(59))
        #expect(fixture.state("a") == .ready)
        fixture.pass(.seconds(1))
        #expect(fixture.state("a") == .stopping)
    }

    @Test func `a supervisor that takes over expects the checkpoints that were known, each with its whole time`() throws
    {
        var fixture = try Self.ready()
        try fixture.notify("a", .checkpoint("frame"))
        fixture.pass(.seconds(4))
        var next = TreeFixture([.worker(Self.measured)])
        let specification = SupervisorSpecification(
            name: SupervisorSpecification.rootName, intensity: RestartIntensity(scope: .perChild),
            children: [.worker(Self.measured)])
        next.tree = SupervisorTree(specification, seed: 1, restoring: fixture.tree.record)
        next.now = fixture.now + .seconds(30)
        next.send(.resumed)
        next.pass(.milliseconds(4999))
        #expect(next.state("a") == .ready)
        next.pass(.milliseconds(1))
        #expect(next.state("a") == .stopping)
    }

    @Test func `an unhealthy worker is ended with the reason, and restarted at once`() throws {
        var fixture = try Self.ready()
        let (id, instance) = (try fixture.id("a"), try fixture.instance("a"))
        try fixture.notify("a", .unhealthy("probe web: status 500"))
        #expect(fixture.take().contains(.killGroup(id, instance)))
        try fixture.exit("a")
        #expect(fixture.status("a")?.lastFailure == .unhealthy("probe web: status 500"))
        #expect(fixture.state("a") == .starting)
        // A late report is about the process before.
        fixture.send(.notified(id, instance, .unhealthy("probe web: status 500")))
        try fixture.spawned("a")
        fixture.send(.notified(id, instance, .unhealthy("probe web: status 500")))
        #expect(fixture.state("a") == .running)
    }
}
