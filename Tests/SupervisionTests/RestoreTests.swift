import MonotonicTime
import Testing

@testable import Supervision

/// The supervisor dies at some point, and the next one carries on from its record.
struct RestoreTests {
    static let plan = StopPlan(
        steps: [StopPlan.Step(signal: .terminate, grace: .seconds(10))], killGrace: .seconds(5))

    static func worker(
        _ name: String, watchdog: Duration? = .seconds(5), readiness: Readiness = .notify, launch: String = "1"
    ) -> WorkerSpecification {
        WorkerSpecification(
            name: name, readiness: readiness, startTimeout: .seconds(30), watchdog: watchdog,
            backoff: Backoff(initial: .seconds(1), jitter: 0, stableAfter: .seconds(60)), stopPlan: plan,
            launch: LaunchFingerprint(launch))
    }

    static func supervisor(_ strategy: RestartStrategy, _ workers: [String]) -> ChildSpecification {
        .supervisor(
            SupervisorSpecification(
                name: "group", strategy: strategy, intensity: RestartIntensity(maxRestarts: 3, within: .seconds(60)),
                onIntensityExceeded: .park(retryAfter: .seconds(100)), children: workers.map { .worker(worker($0)) }))
    }

    /// A fixture with a running worker.
    static func ready(_ child: ChildSpecification = .worker(worker("w")), _ names: [String] = ["w"]) throws
        -> TreeFixture
    {
        var fixture = TreeFixture([child])
        fixture.now = MonotonicInstant(nanoseconds: 1_000_000_000)
        fixture.send(.started)
        for name in names {
            try fixture.spawned(name)
            try fixture.notify(name, .ready)
        }
        _ = fixture.take()
        return fixture
    }

    /// The next supervisor, after an hour in which nobody looked.
    static func survivor(
        of fixture: TreeFixture, _ children: [ChildSpecification]? = nil, after gap: Duration = .seconds(3600)
    ) -> TreeFixture {
        var next = TreeFixture(children ?? [.worker(worker("w"))])
        let specification = SupervisorSpecification(
            name: SupervisorSpecification.rootName, intensity: RestartIntensity(scope: .perChild),
            children: children ?? [.worker(worker("w"))])
        next.tree = SupervisorTree(specification, seed: 2, restoring: fixture.tree.record)
        next.now = fixture.now + gap
        next.send(.resumed)
        return next
    }

    @Test func aReadyWorkerStaysReadyAndIsNotStartedAgain() throws {
        let before = try Self.ready()
        var after = Self.survivor(of: before)
        #expect(after.state("w") == .ready)
        #expect(try after.instance("w") == before.instance("w"))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree).isEmpty)
    }

    @Test func theGapDoesNotCountAsAHang() throws {
        var after = Self.survivor(of: try Self.ready())
        after.pass(.milliseconds(4900))
        #expect(after.state("w") == .ready)
        after.pass(.milliseconds(200))
        #expect(after.state("w") == .stopping)
    }

    @Test func aWorkerThatDiedMeanwhileIsRestartedOnce() throws {
        var after = Self.survivor(of: try Self.ready())
        _ = after.take()
        try after.exit("w", .unknown)
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["w"])
        #expect(after.status("w")?.restarts == 1)
        after.pass(.seconds(10))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree).isEmpty)
    }

    @Test func instancesAreNeverNumberedTwice() throws {
        let before = try Self.ready()
        var after = Self.survivor(of: before)
        try after.exit("w")
        #expect(try after.instance("w") > before.instance("w"))
    }

    @Test func aPausedWorkerStaysPausedAndIsFrozenAgain() throws {
        var before = try Self.ready()
        before.send(.pauseRequested(try before.id("w"), .operator))
        var after = Self.survivor(of: before)
        let id = try after.id("w")
        #expect(after.state("w") == .paused)
        #expect(after.take().contains(.freezeGroup(id, try after.instance("w"))))
        after.pass(.seconds(3600))
        #expect(after.state("w") == .paused)
        after.send(.resumeRequested(id, .operator))
        #expect(after.state("w") == .ready)
    }

    @Test func whoRunsIsThawedForNobodyKnowsWhetherThatWasDone() throws {
        var after = Self.survivor(of: try Self.ready())
        #expect(after.take().contains(.thawGroup(try after.id("w"), try after.instance("w"))))
    }

    @Test func aStartUnderWayGetsAFreshTimeout() throws {
        var before = TreeFixture([.worker(Self.worker("w"))])
        before.send(.started)
        var after = Self.survivor(of: before)
        #expect(after.state("w") == .starting)
        try after.spawned("w")
        after.pass(.seconds(29))
        #expect(after.state("w") == .running)
        after.pass(.seconds(2))
        #expect(after.state("w") == .stopping)
    }

    @Test func aStartThatWasCutShortIsRepeatedAndNoFailure() throws {
        var before = TreeFixture([.worker(Self.worker("w"))])
        before.send(.started)
        let lost = try before.instance("w")
        var after = Self.survivor(of: before)
        _ = after.take()
        after.send(.spawnInterrupted(try after.id("w"), lost))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["w"])
        #expect(after.status("w")?.restarts == 0)
        // Late and twice.
        after.send(.spawnInterrupted(try after.id("w"), lost))
        #expect(after.take().isEmpty)
    }

    @Test func aStopUnderWayBeginsAgainAndEnds() throws {
        var before = try Self.ready()
        before.send(.operatorRequested(try before.id("w"), .stop))
        var after = Self.survivor(of: before)
        #expect(TreeFixture.stops(in: after.take(), of: after.tree) == ["w"])
        after.pass(.seconds(11))
        #expect(after.take().contains(.killGroup(try after.id("w"), try after.instance("w"))))
        after.pass(.seconds(6))
        #expect(after.state("w") == .stopped)
    }

    @Test func aGroupThatWasBeingCleanedUpIsKilledAgainAndFailsOnce() throws {
        var before = try Self.ready()
        before.send(.exited(try before.id("w"), try before.instance("w"), .exited(code: 3)))
        var after = Self.survivor(of: before)
        let (id, instance) = (try after.id("w"), try after.instance("w"))
        #expect(after.take().contains(.killGroup(id, instance)))
        after.send(.groupEmptied(id, instance))
        #expect(after.status("w")?.lastExit == .exited(code: 3))
        #expect(after.status("w")?.restarts == 1)
        let failures = after.take().filter { if case .report(.workerFailed) = $0 { true } else { false } }
        #expect(failures.count == 1)
    }

    @Test func aBackOffGoesOnAsItStood() throws {
        var before = try Self.ready()
        for _ in 0..<2 {
            try before.exit("w")
            if before.state("w") == .starting { try before.spawned("w") }
        }
        #expect(before.state("w") == .backingOff)
        var after = Self.survivor(of: before, after: .milliseconds(500))
        #expect(after.state("w") == .backingOff)
        _ = after.take()
        after.pass(.milliseconds(400))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree).isEmpty)
        after.pass(.milliseconds(200))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["w"])
    }

    @Test func whoWasStoppedByAnOperatorStaysStopped() throws {
        var before = try Self.ready()
        before.send(.operatorRequested(try before.id("w"), .stop))
        try before.exit("w")
        var after = Self.survivor(of: before)
        #expect(after.state("w") == .stopped)
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree).isEmpty)
    }

    @Test func restartsOfTheWindowAreRemembered() throws {
        let group = Self.supervisor(.oneForOne, ["w"])
        var before = try Self.ready(group)
        for _ in 0..<3 {
            try before.exit("w")
            before.pass(.seconds(5))
            try before.spawned("w")
            try before.notify("w", .ready)
        }
        var after = Self.survivor(of: before, [group], after: .seconds(1))
        try after.exit("w")
        after.pass(.seconds(10))
        #expect(after.tree.status(at: after.now).supervisors.first { $0.name == "group" }?.state == .parked)
    }

    @Test func aParkedSupervisorKeepsItsSchedule() throws {
        let group = Self.supervisor(.oneForOne, ["w"])
        var before = try Self.ready(group)
        for _ in 0..<4 {
            try before.exit("w")
            before.pass(.seconds(5))
            if before.state("w") == .starting { try before.spawned("w") }
        }
        let parked = before.tree.status(at: before.now).supervisors.first { $0.name == "group" }
        #expect(parked?.state == .parked)
        var after = Self.survivor(of: before, [group], after: .seconds(10))
        #expect(after.tree.status(at: after.now).supervisors.first { $0.name == "group" } == parked)
        after.pass(.seconds(100))
        #expect(after.state("w") == .starting)
    }

    @Test func aGroupRestartGoesOnInReverse() throws {
        let group = Self.supervisor(.oneForAll, ["a", "b", "c"])
        var before = try Self.ready(group, ["a", "b", "c"])
        try before.exit("a")
        var after = Self.survivor(of: before, [group])
        #expect(TreeFixture.stops(in: after.take(), of: after.tree) == ["c"])
        try after.exit("c", .exited(code: 0))
        #expect(TreeFixture.stops(in: after.take(), of: after.tree) == ["b"])
        try after.exit("b", .exited(code: 0))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["a", "b", "c"])
    }

    @Test func aShutdownThatWasCutShortEndsInARunningTree() throws {
        let group = Self.supervisor(.oneForAll, ["a", "b"])
        var before = try Self.ready(group, ["a", "b"])
        before.send(.shutdownRequested)
        var after = Self.survivor(of: before, [group])
        try after.exit("b", .exited(code: 0))
        try after.exit("a", .exited(code: 0))
        try after.spawned("a")
        try after.spawned("b")
        #expect(after.state("a") == .running)
        #expect(after.state("b") == .running)
        #expect(!after.actions.contains(.completeShutdown))
    }

    @Test func whoIsNoLongerConfiguredIsStoppedAndForgotten() throws {
        var after = Self.survivor(of: try Self.ready(), [.worker(Self.worker("other"))])
        #expect(TreeFixture.spawns(in: after.actions, of: after.tree) == ["other"])
        let id = try #require(after.tree.workersByName["w"])
        let instance = try #require(after.tree.instance(of: id))
        #expect(after.take().contains(.signalGroup(id, instance, .terminate)))
        after.send(.exited(id, instance, .exited(code: 0)))
        after.send(.groupEmptied(id, instance))
        #expect(after.take().contains(.forgetWorker(id)))
    }

    @Test func whoseLaunchHasChangedIsReplacedAndNobodyElse() throws {
        let before = try Self.ready(
            Self.supervisor(.oneForOne, ["a", "b"]), ["a", "b"])
        let changed = SupervisorSpecification(
            name: "group", children: [.worker(Self.worker("a", launch: "2")), .worker(Self.worker("b"))])
        var after = Self.survivor(of: before, [.supervisor(changed)])
        #expect(TreeFixture.stops(in: after.take(), of: after.tree) == ["a"])
        try after.exit("a", .exited(code: 0))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["a"])
        #expect(after.state("b") == .ready)
    }

    @Test func aNewWatchdogAppliesToTheProcessThatRuns() throws {
        var after = Self.survivor(of: try Self.ready(), [.worker(Self.worker("w", watchdog: .seconds(50)))])
        after.pass(.seconds(49))
        #expect(after.state("w") == .ready)
        after.pass(.seconds(2))
        #expect(after.state("w") == .stopping)
    }

    @Test func changesAddUpToTheWholeRecord() throws {
        let group = Self.supervisor(.oneForAll, ["a", "b", "c"])
        var fixture = TreeFixture([group, .worker(Self.worker("w"))])
        var record = TreeRecord()
        func follow(_ fixture: inout TreeFixture) {
            record.apply(fixture.tree.takeChanges())
            #expect(record == fixture.tree.record)
            #expect(!fixture.tree.hasChanges)
        }
        follow(&fixture)
        fixture.send(.started)
        follow(&fixture)
        for name in ["a", "b", "c"] {
            try fixture.spawned(name)
            try fixture.notify(name, .ready)
            follow(&fixture)
        }
        try fixture.exit("b")
        follow(&fixture)
        fixture.send(
            .reloaded(
                SupervisorSpecification(
                    name: SupervisorSpecification.rootName, children: [.worker(Self.worker("w"))])))
        follow(&fixture)
        for name in ["c", "a", "b"] {
            guard let id = fixture.tree.workersByName[name], let instance = fixture.tree.instance(of: id) else {
                continue
            }
            fixture.send(.exited(id, instance, .exited(code: 0)))
            fixture.send(.groupEmptied(id, instance))
            follow(&fixture)
        }
        #expect(Set(record.workers.keys) == ["w"])
        #expect(record.supervisors["group"] == nil)
    }
}
