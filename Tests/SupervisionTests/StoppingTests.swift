import MonotonicTime
import Supervision
import Testing

@Suite struct StoppingTests {
    @Test func `a failure is reported although a stop is requested before its group is gone`() throws {
        var fixture = TreeFixture([.worker(WorkerSpecification(name: "a"))])
        fixture.send(.started)
        try fixture.spawned("a")
        let (id, instance) = (try fixture.id("a"), try fixture.instance("a"))
        fixture.pass(.seconds(3))
        fixture.send(.exited(id, instance, .signaled(.kill, coreDumped: false)))
        fixture.send(.operatorRequested(id, .stop))
        _ = fixture.take()
        fixture.send(.groupEmptied(id, instance))
        #expect(fixture.state("a") == .stopped)
        #expect(
            fixture.take().contains(
                .report(
                    .workerFailed(
                        id, instance, .exited(.signaled(.kill, coreDumped: false)),
                        exit: .signaled(.kill, coreDumped: false), ranFor: .seconds(3), consequence: .leftDown))))
    }

    @Test func `a group is killed once, and its grace does not begin anew when the main process ends`() throws {
        var worker = WorkerSpecification(name: "a")
        worker.stopPlan = StopPlan(
            steps: [StopPlan.Step(signal: .terminate, grace: .seconds(10))], killGrace: .seconds(5))
        var fixture = TreeFixture([.worker(worker)])
        fixture.send(.started)
        try fixture.spawned("a")
        let (id, instance) = (try fixture.id("a"), try fixture.instance("a"))
        fixture.send(.operatorRequested(id, .stop))
        fixture.pass(.seconds(14))
        fixture.send(.exited(id, instance, .signaled(.kill, coreDumped: false)))
        #expect(fixture.take().filter { $0 == .killGroup(id, instance) }.count == 1)
        fixture.pass(.seconds(1))
        #expect(fixture.take().contains(.abandonGroup(id, instance)))
        #expect(fixture.state("a") == .stopped)
    }
}
