import MonotonicTime
import Supervision
import Testing

@Suite struct PausingTests {
    static let watched = WorkerSpecification(
        name: "a", readiness: .notify, startTimeout: .seconds(5), watchdog: .seconds(1))

    @Test func `a pause longer than the watchdog is no hang, and the watchdog gets a fresh period`() throws {
        var fixture = TreeFixture([.worker(Self.watched)])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        let id = try fixture.id("a")
        fixture.send(.pauseRequested(id, .heat))
        #expect(fixture.state("a") == .paused)
        fixture.pass(.seconds(3600))
        try fixture.notify("a", .watchdogPing)
        fixture.pass(.seconds(3600))
        #expect(fixture.state("a") == .paused)
        fixture.send(.resumeRequested(id, .heat))
        fixture.pass(.milliseconds(999))
        #expect(fixture.state("a") == .ready)
        fixture.pass(.milliseconds(1))
        #expect(fixture.state("a") == .stopping)
    }

    @Test func `a worker resumes only when all reasons are gone`() throws {
        var fixture = TreeFixture([.worker(Self.watched)])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        let id = try fixture.id("a")
        fixture.send(.pauseRequested(id, .heat))
        fixture.send(.pauseRequested(id, .operator))
        fixture.send(.resumeRequested(id, .heat))
        #expect(fixture.state("a") == .paused)
        fixture.send(.resumeRequested(id, .operator))
        #expect(fixture.state("a") == .ready)
    }

    @Test func `an essential worker is not shed, but an operator may pause it`() throws {
        var specification = Self.watched
        specification.isEssential = true
        var fixture = TreeFixture([.worker(specification)])
        fixture.send(.started)
        try fixture.spawned("a")
        let id = try fixture.id("a")
        fixture.send(.pauseRequested(id, .heat))
        #expect(fixture.state("a") == .running)
        fixture.send(.pauseRequested(id, .operator))
        #expect(fixture.state("a") == .paused)
    }

    @Test func `a worker that dies while paused is held, and starts when the reason is gone`() throws {
        var fixture = TreeFixture([.worker(Self.watched)])
        fixture.send(.started)
        try fixture.spawned("a")
        let id = try fixture.id("a")
        fixture.send(.pauseRequested(id, .heat))
        try fixture.exit("a")
        #expect(fixture.state("a") == .held)
        #expect(fixture.status("a")?.heldFor == "heat")
        fixture.send(.resumeRequested(id, .heat))
        #expect(fixture.state("a") == .starting)
    }

    @Test func `a worker that announced its end before it was paused goes, with its whole grace, when resumed`() throws
    {
        var fixture = TreeFixture([.worker(Self.watched)])
        fixture.send(.started)
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
        let (id, instance) = (try fixture.id("a"), try fixture.instance("a"))
        fixture.send(.pauseRequested(id, .heat))
        try fixture.notify("a", .stopping)
        #expect(fixture.state("a") == .paused)
        fixture.pass(.seconds(3600))
        #expect(fixture.state("a") == .paused)
        fixture.send(.resumeRequested(id, .heat))
        #expect(fixture.state("a") == .stopping)
        _ = fixture.take()
        fixture.pass(.milliseconds(9999))
        #expect(fixture.take().isEmpty)
        fixture.pass(.milliseconds(1))
        #expect(fixture.take().contains(.killGroup(id, instance)))
    }

    @Test func `stopping a paused worker thaws it, terminates it, and continues it`() throws {
        var fixture = TreeFixture([.worker(Self.watched)])
        fixture.send(.started)
        try fixture.spawned("a")
        let (id, instance) = (try fixture.id("a"), try fixture.instance("a"))
        fixture.send(.pauseRequested(id, .operator))
        _ = fixture.take()
        fixture.send(.operatorRequested(id, .stop))
        let actions = fixture.take().filter { if case .report = $0 { false } else { true } }
        #expect(
            actions == [
                .thawGroup(id, instance), .signalGroup(id, instance, .terminate), .signalGroup(id, instance, .continue),
            ])
        fixture.pass(.seconds(10))
        #expect(fixture.take().contains(.killGroup(id, instance)))
    }
}
