import Supervision

/// Changes to a configuration as people make them between two reloads.
extension TreeGenerator {
    /// A changed copy; names of existing workers and supervisors keep their meaning.
    mutating func mutated(_ tree: SupervisorSpecification) -> SupervisorSpecification {
        var changed = tree
        for _ in 0..<random.number(in: 0...3) { change(&changed) }
        return changed
    }

    private mutating func change(_ root: inout SupervisorSpecification) {
        switch random.below(12) {
        case 0...5:
            replaceChild(of: &root) { generator, child in
                if case .worker(let worker) = child { [.worker(generator.adjusted(worker))] } else { [child] }
            }
        case 6:
            insert(.worker(worker()), into: &root)
        case 7:
            replaceChild(of: &root) { _, _ in [] }
        case 8:
            guard let taken = takeAny(from: &root) else { return }
            insert(taken, into: &root)
        case 9:
            insert(.supervisor(supervisor(depth: 3)), into: &root)
        case 10:
            adjustSupervisor(&root)
        default:
            root.children.shuffle(using: &random)
        }
    }

    private mutating func adjusted(_ worker: WorkerSpecification) -> WorkerSpecification {
        var changed = worker
        switch random.below(12) {
        case 0, 1, 2: changed.launch = LaunchFingerprint(changed.launch.digest + "+")
        case 3: changed.isEssential.toggle()
        case 4: changed.restart = random.pick(RestartPolicy.allCases)
        case 5: changed.backoff = backoff()
        case 6: changed.attempts = attempts()
        case 7: changed.stopPlan = stopPlan()
        case 8: changed.startGate = random.pick(StartGate.allCases)
        case 9: changed.startTimeout = time(1500...5000)
        case 10: changed.checkpoints = checkpoints()
        default: changed.watchdog = random.chance(50) ? time(2000...7000) : nil
        }
        return changed
    }

    private mutating func adjustSupervisor(_ supervisor: inout SupervisorSpecification) {
        let nested = supervisor.children.indices.filter {
            if case .supervisor = supervisor.children[$0] { true } else { false }
        }
        if !nested.isEmpty, random.chance(70) {
            let index = random.pick(nested)
            guard case .supervisor(var inner) = supervisor.children[index] else { return }
            adjustSupervisor(&inner)
            supervisor.children[index] = .supervisor(inner)
            return
        }
        if random.chance(50) {
            supervisor.intensity = intensity(scope: supervisor.intensity.scope)
        } else if supervisor.intensity.scope == .shared {
            supervisor.strategy = random.pick(RestartStrategy.allCases)
        }
    }

    /// Walks to one random place and replaces the child there.
    private mutating func replaceChild(
        of supervisor: inout SupervisorSpecification,
        by replacement: (inout TreeGenerator, ChildSpecification) -> [ChildSpecification]
    ) {
        guard !supervisor.children.isEmpty else { return }
        let index = random.below(supervisor.children.count)
        if case .supervisor(var inner) = supervisor.children[index], random.chance(85) {
            replaceChild(of: &inner, by: replacement)
            supervisor.children[index] = .supervisor(inner)
        } else {
            let made = replacement(&self, supervisor.children[index])
            supervisor.children.replaceSubrange(index...index, with: made)
        }
    }

    private mutating func takeAny(from supervisor: inout SupervisorSpecification) -> ChildSpecification? {
        guard !supervisor.children.isEmpty else { return nil }
        let index = random.below(supervisor.children.count)
        if case .supervisor(var inner) = supervisor.children[index], random.chance(70) {
            let taken = takeAny(from: &inner)
            supervisor.children[index] = .supervisor(inner)
            return taken
        }
        return supervisor.children.remove(at: index)
    }

    private mutating func insert(_ child: ChildSpecification, into supervisor: inout SupervisorSpecification) {
        let nested = supervisor.children.indices.filter {
            if case .supervisor = supervisor.children[$0] { true } else { false }
        }
        if !nested.isEmpty, random.chance(60) {
            let index = random.pick(nested)
            guard case .supervisor(var inner) = supervisor.children[index] else { return }
            insert(child, into: &inner)
            supervisor.children[index] = .supervisor(inner)
        } else {
            supervisor.children.insert(child, at: random.below(supervisor.children.count + 1))
        }
    }
}
