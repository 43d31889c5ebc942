import MonotonicTime
import Testing

@testable import Supervision

/// The supervisor dies at an unlucky moment, or its configuration changes while it is gone. The simulation found most of
/// these.
extension RestoreTests {
    static func signals(_ actions: [Action]) -> [Signal] {
        actions.compactMap { if case .signalGroup(_, _, let signal) = $0, signal != .continue { signal } else { nil } }
    }

    // MARK: What was ordered may have been carried out, or not

    @Test func aStartingWorkerIsThawedForItMayHaveBeenPausedAtTheLastMoment() throws {
        var before = TreeFixture([.worker(Self.worker("w"))])
        before.send(.started)
        var after = Self.survivor(of: before)
        #expect(after.take().contains(.thawGroup(try after.id("w"), try after.instance("w"))))
    }

    @Test func aStopIsRepeatedOnAThawedGroup() throws {
        var before = try Self.ready()
        before.send(.pauseRequested(try before.id("w"), .operator))
        before.send(.operatorRequested(try before.id("w"), .stop))
        var after = Self.survivor(of: before)
        let (id, instance) = (try after.id("w"), try after.instance("w"))
        let actions = after.take()
        let thaw = try #require(actions.firstIndex(of: .thawGroup(id, instance)))
        let signal = try #require(actions.firstIndex(of: .signalGroup(id, instance, .terminate)))
        #expect(thaw < signal)
    }

    @Test func noStopBeginsTwiceBecauseAnotherOneWasAnnounced() throws {
        let group = Self.supervisor(.oneForAll, ["a", "b", "c"])
        var before = try Self.ready(group, ["a", "b", "c"])
        // `c` is stopped for the sake of `a`, and `b` has said that it is about to end.
        try before.notify("b", .stopping)
        try before.exit("a")
        var after = Self.survivor(of: before, [group])
        #expect(TreeFixture.stops(in: after.take(), of: after.tree) == ["c"])
        try after.exit("c", .exited(code: 0))
        #expect(TreeFixture.stops(in: after.take(), of: after.tree) == ["b"])
    }

    @Test func anAnnouncedStopThatWasRequestedTooStaysRequested() throws {
        var before = try Self.ready()
        try before.notify("w", .stopping)
        before.pass(.seconds(11))
        before.send(.operatorRequested(try before.id("w"), .restart))
        var after = Self.survivor(of: before)
        _ = after.take()
        try after.exit("w", .exited(code: 0))
        // No failure that had to wait, or that would count.
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["w"])
        #expect(after.status("w")?.restarts == 0)
    }

    @Test func aRepeatedStartIsNotHeldUpByItsGate() throws {
        var second = Self.worker("b")
        second.startGate = .previousReady
        let children: [ChildSpecification] = [.worker(Self.worker("a", readiness: .started)), .worker(second)]
        var before = TreeFixture(children)
        before.send(.started)
        try before.spawned("a")
        var after = Self.survivor(of: before, children)
        _ = after.take()
        let lost = try after.instance("b")
        after.send(.exited(try after.id("a"), try after.instance("a"), .unknown))
        after.send(.spawnInterrupted(try after.id("b"), lost))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["b"])
    }

    @Test func aStartThatWasCutShortInAGroupStopWaitsForItsGroup() throws {
        let group = Self.supervisor(.oneForAll, ["a", "b"])
        var before = try Self.ready(group, ["a", "b"])
        try before.exit("a")
        try before.exit("b", .exited(code: 0))
        #expect(before.state("a") == .starting)
        before.send(.spawnFailed(try before.id("b"), try before.instance("b"), SpawnFailure(step: "exec", errno: 2)))
        #expect(before.state("a") == .stopping)
        let lost = try before.instance("a")
        var after = Self.survivor(of: before, [group])
        after.send(.spawnInterrupted(try after.id("a"), lost))
        after.pass(.seconds(2))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["a", "b"])
    }

    // MARK: The configuration is another one

    @Test func whoIsNoLongerConfiguredIsStoppedByThePlanItWasStartedWith() throws {
        var patient = Self.worker("w")
        patient.stopPlan = StopPlan(steps: [StopPlan.Step(signal: .interrupt, grace: .seconds(60))])
        let before = try Self.ready(.worker(patient))
        var after = Self.survivor(of: before, [])
        #expect(Self.signals(after.take()) == [.interrupt])
        after.pass(.seconds(59))
        #expect(after.take().allSatisfy { if case .killGroup = $0 { false } else { true } })
    }

    /// `w` as a program that is stopped with SIGINT, and as its successor, which takes SIGTERM.
    private static func patientAndHasty() -> (patient: ChildSpecification, hasty: ChildSpecification) {
        var patient = worker("w", launch: "1")
        patient.stopPlan = StopPlan(steps: [StopPlan.Step(signal: .interrupt, grace: .seconds(60))])
        return (.worker(patient), .worker(worker("w", launch: "2")))
    }

    @Test func whoIsReplacedAfterTheGapIsStoppedByThePlanItWasStartedWith() throws {
        let (patient, hasty) = Self.patientAndHasty()
        let before = try Self.ready(patient)
        var after = Self.survivor(of: before, [hasty])
        #expect(Self.signals(after.take()) == [.interrupt])
        try after.exit("w")
        try after.spawned("w")
        after.send(.operatorRequested(try after.id("w"), .stop))
        #expect(Self.signals(after.take()) == [.terminate])
    }

    @Test func aStopIsRepeatedByThePlanItBeganWith() throws {
        let (patient, hasty) = Self.patientAndHasty()
        var before = try Self.ready(patient)
        before.reload([hasty])
        var after = Self.survivor(of: before, [hasty])
        #expect(Self.signals(after.take()) == [.interrupt])
        after.pass(.seconds(59))
        #expect(after.take().allSatisfy { if case .killGroup = $0 { false } else { true } })
    }

    @Test func whoIsConfiguredAgainBeforeItIsGoneIsWanted() throws {
        var before = try Self.ready()
        before.reload([])
        var after = Self.survivor(of: before)
        _ = after.take()
        try after.exit("w", .exited(code: 0))
        #expect(TreeFixture.spawns(in: after.take(), of: after.tree) == ["w"])
    }

    @Test func whoHasBecomeEssentialRunsOnAndIsNotFrozenFirst() throws {
        var before = try Self.ready()
        before.send(.pauseRequested(try before.id("w"), .heat))
        var essential = Self.worker("w")
        essential.isEssential = true
        var after = Self.survivor(of: before, [.worker(essential)])
        #expect(after.state("w") == .ready)
        let (id, instance) = (try after.id("w"), try after.instance("w"))
        let actions = after.take()
        #expect(!actions.contains(.freezeGroup(id, instance)))
        #expect(actions.contains(.thawGroup(id, instance)))
    }

    @Test(
        "a pause ends when no reason for it can be read any more", arguments: [WorkerState.paused, .held])
    func pauseWithoutReasonEnds(_ state: WorkerState) throws {
        var before = try Self.ready()
        before.send(.pauseRequested(try before.id("w"), .heat))
        if state == .held { try before.exit("w") }
        #expect(before.state("w") == state)
        var record = before.tree.record
        record.workers["w"]?.pauseReasons = []
        var after = TreeFixture([])
        after.tree = SupervisorTree(
            SupervisorSpecification(name: SupervisorSpecification.rootName, children: [.worker(Self.worker("w"))]),
            seed: 2, restoring: record)
        after.now = before.now
        after.send(.resumed)
        #expect(after.state("w") == (state == .held ? .starting : .ready))
    }

    @Test func whoNeedNotSayThatItIsReadyAnyMoreIsReady() throws {
        var before = TreeFixture([.worker(Self.worker("w"))])
        before.send(.started)
        try before.spawned("w")
        let after = Self.survivor(of: before, [.worker(Self.worker("w", readiness: .started))])
        #expect(after.state("w") == .ready)
    }

    @Test func restartsOfOneWhoHasLeftStillCount() throws {
        let group = Self.supervisor(.oneForOne, ["a", "b"])
        var before = try Self.ready(group, ["a", "b"])
        for _ in 0..<2 {
            try before.exit("a")
            before.pass(.seconds(2))
            try before.spawned("a")
            try before.notify("a", .ready)
        }
        var after = Self.survivor(of: before, [Self.supervisor(.oneForOne, ["b"])], after: .seconds(1))
        #expect(after.supervisor("group")?.restartsInWindow == 2)
        try after.exit("b")
        #expect(after.supervisor("group")?.restartsInWindow == 3)
    }

    @Test func whatIsNotConfiguredAnyMoreLeavesTheRecord() throws {
        var before = try Self.ready(Self.supervisor(.oneForOne, ["a"]), ["a"])
        before.send(.operatorRequested(try before.id("a"), .stop))
        try before.exit("a", .exited(code: 0))
        var record = TreeRecord()
        record.apply(before.tree.takeChanges())
        var after = Self.survivor(of: before)
        record.apply(after.tree.takeChanges())
        #expect(record == after.tree.record)
        #expect(record.workers["a"] == nil)
        #expect(record.supervisors["group"] == nil)
    }
}
