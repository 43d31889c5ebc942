import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision
import Testing

@testable import SupervisorRuntime

/// What operators read of the tree's reports. The tree runs in virtual time; the test plays its world.
@Suite(.timeLimit(.minutes(1))) struct ReportRecorderTests {
    let chronicle: Chronicle

    init() throws {
        chronicle = Chronicle(eventCapacity: 200, incidentCapacity: 20, lastEvent: 0, loop: try EventLoop())
    }

    private func record(
        _ reports: [Report], names: [WorkerID: String],
        outOfMemory: @escaping (InstanceID) -> OutOfMemory? = { _ in nil }
    ) {
        let recorder = ReportRecorder(
            chronicle: chronicle, name: { names[$0] ?? "?" }, supervisor: { _ in "s" }, pid: { _ in 42 },
            outOfMemory: outOfMemory, requestTail: { _, _, _ in }, onReload: { _ in })
        for report in reports { recorder.record(report) }
    }

    private var refusals: [EventReport] {
        (chronicle.events.first..<chronicle.events.next).compactMap { chronicle.events[$0]?.report }
            .filter { $0.kind == "intensity-exceeded" }
    }

    private static let slowly = WorkerSpecification(
        name: "w", backoff: Backoff(initial: .seconds(10), maximum: .seconds(10), jitter: 0))

    /// Two failures, the second with a back-off that ends in a refusal: one restart is allowed.
    private func refuse(
        _ scope: RestartIntensity.Scope, _ reaction: IntensityReaction, check: (IncidentReport) -> Void
    ) throws {
        let intensity = RestartIntensity(maxRestarts: 1, scope: scope)
        let group = SupervisorSpecification(
            name: "s", intensity: intensity, onIntensityExceeded: reaction, children: [.worker(Self.slowly)])
        var tree = SupervisorTree(
            SupervisorSpecification(
                name: SupervisorSpecification.rootName, intensity: RestartIntensity(scope: .perChild),
                children: [.supervisor(group)]), seed: 1)
        let worker = try #require(tree.worker(named: "w"))
        var now = MonotonicInstant.zero
        func send(_ event: Event) {
            let reports = tree.handle(event, at: now).compactMap {
                if case .report(let report) = $0 { report } else { nil }
            }
            record(reports, names: [worker: "w"])
        }
        send(.started)
        for _ in 0..<2 {
            let instance = try #require(tree.instance(of: worker))
            send(.spawned(worker, instance))
            send(.exited(worker, instance, .exited(code: 3)))
            send(.groupEmptied(worker, instance))
        }
        check(try #require(chronicle.latestIncidents(of: "w", limit: 1).first))
        #expect(refusals.isEmpty)
        now = now + .seconds(10)
        send(.deadlineReached)
    }

    @Test(arguments: [
        (RestartIntensity.Scope.perChild, IntensityReaction.park(retryAfter: .seconds(300)), "gave-up"),
        (.perChild, .park(retryAfter: nil), "gave-up"),
        (.shared, .park(retryAfter: .seconds(300)), "supervisor-parked"),
        (.shared, .escalate, "supervisor-escalated"),
    ])
    func `an incident whose restart is refused after a back-off says what was done in its place`(
        scope: RestartIntensity.Scope, reaction: IntensityReaction, action: String
    ) throws {
        try refuse(scope, reaction) { #expect($0.action == "restart-after") }
        let incidents = chronicle.latestIncidents(of: "w", limit: 5)
        #expect(incidents.map(\.action) == ["restarted-at-once", action])
        #expect(incidents.last?.actionMessage.contains("restart intensity is exceeded") == true)
        #expect(refusals.first?.details["incident"] == .int(2))
    }

    @Test(arguments: [
        (
            RestartIntensity.Scope.perChild, IntensityReaction.park(retryAfter: .seconds(300)), "w" as String?,
            "restart intensity exceeded (1 in 60 s) by w: w is parked, tried again in 5 min"
        ),
        (
            .perChild, .park(retryAfter: nil), "w",
            "restart intensity exceeded (1 in 60 s) by w: w is parked until an operator starts it"
        ),
        (
            .shared, .park(retryAfter: .seconds(300)), nil,
            "restart intensity exceeded (1 in 60 s) when w failed: s is parked, tried again in 5 min"
        ),
        (.shared, .escalate, nil, "restart intensity exceeded (1 in 60 s) when w failed: s escalates to its parent"),
    ])
    func `an exceeded intensity names who exceeded which allowance, and who is parked`(
        scope: RestartIntensity.Scope, reaction: IntensityReaction, worker: String?, message: String
    ) throws {
        try refuse(scope, reaction) { _ in }
        let event = try #require(refusals.first)
        #expect(event.worker == worker)
        #expect(event.supervisor == "s")
        #expect(event.message == message)
        #expect(event.details["child"] == .string("w"))
        #expect(event.details["max_restarts"] == .int(1))
        #expect(event.details["within_s"] == .double(60))
    }

    @Test(arguments: [
        (
            OutOfMemory.ownLimit, FailureCause.exited(.signaled(.kill, coreDumped: false)), "out-of-memory",
            "was killed by the kernel: it needed more than its memory_max after 1 s; restarted at once"
        ),
        (
            .machine, .exited(.signaled(.kill, coreDumped: false)), "out-of-memory",
            "was killed by the kernel: the machine ran out of memory after 1 s; restarted at once"
        ),
        (.ownLimit, .watchdogTimedOut, "watchdog", "sent no watchdog ping in time after 1 s; restarted at once"),
        (.ownLimit, .exited(.exited(code: 1)), "exit", "exited with status 1 after 1 s; restarted at once"),
    ])
    func `a worker that the kernel killed for want of memory is said to be so`(
        outOfMemory: OutOfMemory, cause: FailureCause, expected: String, message: String
    ) throws {
        let worker = WorkerID(rawValue: 1)
        record(
            [
                .workerFailed(
                    worker, InstanceID(rawValue: 1), cause, exit: .signaled(.kill, coreDumped: false),
                    ranFor: .seconds(1), consequence: .restartedAtOnce)
            ], names: [worker: "w"], outOfMemory: { $0 == InstanceID(rawValue: 1) ? outOfMemory : nil })
        #expect(chronicle.incidents[chronicle.incidents.first]?.exit.cause == expected)
        #expect(chronicle.events[chronicle.events.first]?.report.message == message)
    }

    @Test(arguments: [
        (
            FailureCause.watchdogTimedOut,
            Supervision.ExitStatus.signaled(.kill, coreDumped: false) as Supervision.ExitStatus?,
            "SIGKILL" as String?
        ),
        (.startTimedOut, .signaled(.terminate, coreDumped: false), "SIGTERM"),
        (.watchdogTriggered, .exited(code: 1), nil),
        (.checkpointMissed("frame", within: .seconds(5)), .signaled(.kill, coreDumped: false), "SIGKILL"),
        (.unhealthy("probe web: status 500"), .exited(code: 1), nil),
    ])
    func `the incident of a worker that had to be ended says how it ended`(
        cause: FailureCause, status: Supervision.ExitStatus?, signal: String?
    ) throws {
        let worker = WorkerID(rawValue: 1)
        record(
            [
                .workerFailed(
                    worker, InstanceID(rawValue: 1), cause, exit: status, ranFor: .seconds(1),
                    consequence: .restartedAtOnce)
            ], names: [worker: "w"])
        let exit = try #require(chronicle.latestIncidents(of: "w", limit: 1).first).exit
        #expect(exit.status == (signal == nil ? "exited" : "signaled"))
        #expect(exit.signal == signal)
    }

    @Test func `an event of a program that was never executed tells of no run`() {
        let worker = WorkerID(rawValue: 1)
        record(
            [
                .workerFailed(
                    worker, InstanceID(rawValue: 1), .spawnFailed(SpawnFailure(step: "exec", errno: 2)), exit: nil,
                    ranFor: .milliseconds(1), consequence: .restartedAtOnce)
            ], names: [worker: "w"])
        let message = chronicle.events[chronicle.events.next - 1]?.report.message
        #expect(message?.contains(" after ") == false)
        #expect(message?.hasSuffix("; restarted at once") == true)
    }
}
