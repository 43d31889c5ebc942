import MonotonicTime
import Supervision

/// The time without a supervisor: processes go on, those that were never let go end, and the next supervisor finds out
/// what has become of the ones that are on record.
extension World {
    struct Unsupervised {
        var keepsDescriptors: Bool
        /// What workers said meanwhile, in order; it waits in their notify sockets.
        var said: [(InstanceID, Notification)] = []
    }

    /// The wake-up is recorded: what was cloned in it may execute its program.
    mutating func letGo() {
        for process in living { process.isLetGo = true }
    }

    /// The processes that run their programs, as anybody can see them.
    mutating func sightings() -> [ProcessSighting] {
        living.removeAll { $0.stage == .gone }
        return living.compactMap { process in
            guard process.isLetGo else { return nil }
            return ProcessSighting(
                worker: process.name, instance: process.instance, isFrozen: process.isFrozen,
                isEnding: process.isKilled || process.stage == .ended)
        }
    }

    mutating func loseSupervisor(_ death: SupervisorDeath, at now: MonotonicInstant) {
        unsupervised = Unsupervised(keepsDescriptors: death.keepsDescriptors)
        for process in living where !process.isLetGo { process.stage = .gone }
        let lost = Set(living.lazy.filter { !$0.isLetGo }.map(\.instance))
        var rest = EventQueue<Coming>()
        while let entry = queue.popFirst() {
            switch entry.payload {
            case .event(let event): miss(event)
            case .step(let instance, _) where lost.contains(instance): break
            case .step, .stimulus: rest.insert(entry.payload, at: entry.due)
            }
        }
        queue = rest
        if let victim = death.victim { kill(victim, within: death.gap, at: now) }
    }

    /// Something that nobody is there to hear.
    mutating func miss(_ event: Event) {
        guard unsupervised?.keepsDescriptors ?? false, case .notified(_, let instance, let notification) = event else {
            return
        }
        unsupervised?.said.append((instance, notification))
    }

    private mutating func kill(_ number: UInt64, within gap: Duration, at now: MonotonicInstant) {
        let candidates = living.filter { $0.stage == .running && !$0.isKilled }
        guard !candidates.isEmpty, now < faultsEnd else { return }
        let victim = candidates[Int(number % UInt64(candidates.count))]
        schedule(.dies, of: victim, after: gap * Int(number / 16 % 100) / 100, at: now)
    }

    /// A new supervisor is there.
    /// - Parameter owners: whose the recorded instances are in its tree.
    /// - Returns: what it finds out at once about the processes on record.
    mutating func meetSupervisor(
        _ record: TreeRecord, owners: [InstanceID: WorkerID], at now: MonotonicInstant
    ) -> [Event] {
        guard let unsupervised else { return [] }
        self.unsupervised = nil
        for process in living { process.isUnknown = true }
        var found: [Event] = []
        for recorded in record.workers.values.sorted(by: { $0.name < $1.name }) {
            guard let live = recorded.phase.instance, let worker = owners[live.id] else { continue }
            let process = processes[live.id]
            process?.worker = worker
            process?.isUnknown = false
            process?.isAdopted = true
            let fate = fate(of: process, recorded.phase, keepsDescriptors: unsupervised.keepsDescriptors)
            let news = news(fate, worker, live.id)
            if let process, random.chance(20) {
                for event in news { tell(event, of: process, at: now) }
            } else {
                found += news
            }
        }
        for (instance, notification) in unsupervised.said {
            guard let process = processes[instance] else { continue }
            tell(.notified(process.worker, instance, notification), of: process, at: now)
        }
        return found
    }

    /// What can be found out about a process.
    private enum Fate {
        case isThere
        case neverRan
        /// The main process has ended, perhaps not its whole group.
        case ended(ExitStatus, isGroupEmpty: Bool)
    }

    private mutating func fate(of process: WorldProcess?, _ phase: WorkerPhase, keepsDescriptors: Bool) -> Fate {
        let isStarting = if case .starting = phase { true } else { false }
        if case .stopping(_, let stop) = phase, let exit = stop.exit {
            return .ended(exit, isGroupEmpty: process.map { $0.stage == .gone } ?? true)
        }
        guard let process, process.isLetGo, !process.couldNotBeCloned else {
            // If it was recorded, it may as well have ended a moment after it was let go.
            return random.chance(70) ? .neverRan : .ended(.unknown, isGroupEmpty: true)
        }
        switch process.stage {
        case .ordered, .running: return .isThere
        case .ended, .gone:
            // Without descriptors nobody can tell an early end from a process that was never let go.
            if isStarting, !keepsDescriptors, process.stage == .gone, random.chance(50) { return .neverRan }
            let status = keepsDescriptors ? process.exit ?? .exited(code: 127) : .unknown
            return .ended(status, isGroupEmpty: process.stage == .gone)
        }
    }

    private func news(_ fate: Fate, _ worker: WorkerID, _ instance: InstanceID) -> [Event] {
        switch fate {
        case .isThere: [.spawned(worker, instance)]
        case .neverRan: [.spawnInterrupted(worker, instance)]
        case .ended(let status, isGroupEmpty: false): [.exited(worker, instance, status)]
        case .ended(let status, isGroupEmpty: true):
            [.exited(worker, instance, status), .groupEmptied(worker, instance)]
        }
    }
}

extension WorldProcess {
    fileprivate var couldNotBeCloned: Bool {
        stage == .gone && exit == nil && behaviour.spawnFailure?.step == "clone"
    }
}
