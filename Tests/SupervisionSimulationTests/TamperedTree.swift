import MonotonicTime
@testable import Supervision
@testable import SupervisionSimulation

/// A real tree whose answers can be falsified on their way to the observer.
struct TamperedTree {
    private var tree: SupervisorTree
    let observer: Observer
    private let root: SupervisorSpecification
    private var now = MonotonicInstant(nanoseconds: 1_000_000_000)

    init(_ root: SupervisorSpecification) {
        tree = SupervisorTree(root, seed: 1)
        observer = Observer(root, status: tree.status(at: now))
        self.root = root
    }

    var status: TreeStatus { tree.status(at: now) }

    /// The supervisor dies, and another one takes over; `tamper` falsifies what the observer gets to see of that.
    mutating func handOver(tamper: (inout Handover) -> Void = { _ in }) -> Violation? {
        tree = SupervisorTree(root, seed: 2, restoring: tree.record)
        var handover = Handover(
            now: now, specification: root, status: tree.status(at: now),
            owners: Dictionary(uniqueKeysWithValues: tree.liveInstances.map { ($0.instance, $0.worker) }))
        tamper(&handover)
        return observer.follow(handover)
    }

    /// Ten milliseconds later, the event; `tamper` falsifies what the observer gets to see of the answer.
    mutating func handle(_ event: Event, tamper: (inout Observation) -> Void = { _ in }) -> Violation? {
        now = now.advanced(by: .milliseconds(10))
        let actions = tree.handle(event, at: now)
        var observation = Observation(
            now: now, event: event, actions: actions, status: tree.status(at: now), nextDeadline: tree.nextDeadline)
        tamper(&observation)
        return observer.observe(observation)
    }
}

extension WorkerID {
    /// The workers of `SupervisorSpecification.pair` in declared order.
    static let camera = SupervisorSpecification.identities.0
    static let detector = SupervisorSpecification.identities.1
}

extension InstanceID {
    static func number(_ number: UInt64) -> InstanceID { InstanceID(rawValue: number) }
}

extension SupervisorSpecification {
    /// Two workers below the root; the second one starts without waiting for the first unless gated.
    static func pair(
        camera adjustCamera: (inout WorkerSpecification) -> Void = { _ in },
        detector adjustDetector: (inout WorkerSpecification) -> Void = { _ in }
    ) -> SupervisorSpecification {
        var camera = WorkerSpecification(name: "camera", readiness: .notify, watchdog: .seconds(5))
        camera.watchdogSignal = .abort
        camera.backoff.jitter = 0
        var detector = WorkerSpecification(name: "detector")
        adjustCamera(&camera)
        adjustDetector(&detector)
        return SupervisorSpecification(name: rootName, children: [.worker(camera), .worker(detector)])
    }

    fileprivate static var identities: (WorkerID, WorkerID) {
        let tree = SupervisorTree(pair(), seed: 1)
        let nowhere = WorkerID(rawValue: -1)
        return (tree.worker(named: "camera") ?? nowhere, tree.worker(named: "detector") ?? nowhere)
    }
}
