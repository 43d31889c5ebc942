import Supervision
@testable import SupervisionSimulation
import Testing

/// A checker that cannot fail is worthless: each invariant is violated on purpose.
@Suite struct ObserverTests {
    @Test("a falsified answer violates its invariant", arguments: Falsification.all)
    func falsifiedAnswerIsFoundOut(_ case: Falsification) throws {
        var tree = TamperedTree(`case`.root)
        for event in `case`.history {
            #expect(tree.handle(event) == nil, "before the lie, after \(event)")
        }
        var found: Violation?
        for event in `case`.falsified where found == nil {
            if event == .resumed { found = tree.handOver(tamper: `case`.tamperWithHandover) }
            if found != nil { break }
            found = tree.handle(event, tamper: `case`.tamper)
        }
        let violation = try #require(found)
        #expect(violation.invariant == `case`.invariant, "\(violation)")
    }

    @Test("the same histories hold as long as nobody lies", arguments: Falsification.all)
    func honestAnswerHolds(_ case: Falsification) {
        var tree = TamperedTree(`case`.root)
        for event in `case`.history + `case`.falsified {
            if event == .resumed { #expect(tree.handOver() == nil) }
            #expect(tree.handle(event) == nil, "after \(event)")
        }
    }

    @Test(
        "what anybody can see of processes has to fit the account",
        arguments: [
            ("camera", 1, true, Invariant.pausedWithReason), ("camera", 3, false, .groupReaped),
            ("detector", 2, false, .singleInstance),
        ])
    func processesHaveToFit(_ worker: String, _ instance: UInt64, _ isFrozen: Bool, _ expected: Invariant) throws {
        var tree = TamperedTree(.pair())
        for event: Event in [.started, .spawned(.camera, .number(1)), .spawned(.detector, .number(2))] {
            #expect(tree.handle(event) == nil)
        }
        let honest = ProcessSighting(worker: "detector", instance: .number(2), isFrozen: false, isEnding: false)
        #expect(tree.observer.check([honest]) == nil)
        let seen = ProcessSighting(worker: worker, instance: .number(instance), isFrozen: isFrozen, isEnding: false)
        #expect(try #require(tree.observer.check([honest, seen])).invariant == expected)
    }

    @Test func everyInvariantOfASingleStepHasAFalsification() {
        // Convergence is a matter of a whole run.
        let covered = Set(Falsification.all.map(\.invariant)).union([.convergence])
        #expect(covered == Set(Invariant.allCases))
    }

    @Test func aWorkerOnItsWayIsNoRest() throws {
        var tree = TamperedTree(.pair())
        #expect(tree.handle(.started) == nil)
        let unrest = try #require(tree.observer.unrest(tree.status))
        #expect(unrest.contains("camera"))
        for event: Event in [
            .spawned(.camera, .number(1)), .spawned(.detector, .number(2)), .notified(.camera, .number(1), .ready),
        ] {
            #expect(tree.handle(event) == nil)
        }
        #expect(tree.observer.unrest(tree.status) == nil)
    }
}
