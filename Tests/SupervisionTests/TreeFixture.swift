import MonotonicTime
import Supervision
import Testing

/// A tree in virtual time whose world is played by the test.
struct TreeFixture {
    var tree: SupervisorTree
    var now = MonotonicInstant.zero
    /// Everything the tree asked for since the last `take`.
    var actions: [Action] = []

    init(_ children: [ChildSpecification], intensity: RestartIntensity = RestartIntensity(scope: .perChild)) {
        tree = SupervisorTree(
            SupervisorSpecification(name: SupervisorSpecification.rootName, intensity: intensity, children: children),
            seed: 1)
    }

    mutating func send(_ event: Event) {
        actions += tree.handle(event, at: now)
    }

    mutating func take() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// Moves time forward, delivering each deadline on the way.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = tree.nextDeadline, deadline <= end {
            now = max(now, deadline)
            send(.deadlineReached)
        }
        now = end
    }

    func status(_ name: String) -> WorkerStatus? {
        tree.status(at: now).workers.first { $0.name == name }
    }

    func state(_ name: String) -> WorkerState? { status(name)?.state }

    func supervisor(_ name: String) -> SupervisorStatus? {
        tree.status(at: now).supervisors.first { $0.name == name }
    }

    /// A new configuration: these are the root's children from now on.
    mutating func reload(_ children: [ChildSpecification]) {
        send(
            .reloaded(
                SupervisorSpecification(
                    name: SupervisorSpecification.rootName, intensity: RestartIntensity(scope: .perChild),
                    children: children)))
    }

    func id(_ name: String) throws -> WorkerID {
        try #require(tree.worker(named: name))
    }

    func instance(_ name: String) throws -> InstanceID {
        try #require(status(name)?.instance)
    }

    mutating func spawned(_ name: String) throws {
        send(.spawned(try id(name), try instance(name)))
    }

    mutating func notify(_ name: String, _ notification: Notification) throws {
        send(.notified(try id(name), try instance(name), notification))
    }

    /// The main process ends and nothing else of its group is left.
    mutating func exit(_ name: String, _ status: Supervision.ExitStatus = .signaled(.kill, coreDumped: false)) throws {
        let (id, instance) = (try id(name), try instance(name))
        send(.exited(id, instance, status))
        send(.groupEmptied(id, instance))
    }

    /// The names of the workers that were spawned, in order.
    static func spawns(in actions: [Action], of tree: SupervisorTree) -> [String] {
        actions.compactMap { action in
            if case .spawn(let worker, _) = action { return tree.specification(of: worker)?.name }
            return nil
        }
    }

    static func stops(in actions: [Action], of tree: SupervisorTree) -> [String] {
        actions.compactMap { action in
            if case .signalGroup(let worker, _, .terminate) = action { return tree.specification(of: worker)?.name }
            return nil
        }
    }
}
