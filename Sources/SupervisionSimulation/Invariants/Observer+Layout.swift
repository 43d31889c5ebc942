import MonotonicTime
import Supervision

extension Observer {
    /// Lays the tree out anew by names; a worker that is known keeps its account.
    func learn(_ root: SupervisorSpecification, from status: TreeStatus) {
        specification = root
        var identities: [String: WorkerID] = [:]
        for shown in status.workers where identities[shown.name].map({ $0 < shown.id }) ?? true {
            identities[shown.name] = shown.id
        }
        let former = order
        order = []
        supervisorOrder = []
        var present: [String: SupervisorModel] = [:]
        layOut(root, parent: nil, isMovedAlong: false, identities: identities, present: &present)
        for (name, supervisor) in supervisors where present[name] == nil { supervisor.isRemoved = true }
        supervisors = present
        // Places have changed; whom a stop under way concerns is not worked out again.
        for supervisor in supervisorOrder where supervisor.stoppingSince != nil {
            supervisor.concernedFrom = 0
            supervisor.isConcernUnknown = true
            supervisor.hasMovedChildren = true
        }
        for (index, worker) in order.enumerated() { worker.position = index }
        let remaining = Set(order.map(\.id))
        for worker in former where !remaining.contains(worker.id) { markRemoved(worker) }
    }

    private func layOut(
        _ specification: SupervisorSpecification, parent: SupervisorModel?, isMovedAlong: Bool,
        identities: [String: WorkerID], present: inout [String: SupervisorModel]
    ) {
        let known = supervisors[specification.name]
        let supervisor = known ?? SupervisorModel(specification, parent: parent)
        // Whatever it has been moved below may be down, and then it goes down with it and forgets its window.
        let isMoved = known != nil && (isMovedAlong || supervisor.parent?.name != parent?.name)
        if isMoved {
            uncertainRestarts(of: supervisor) { _ in true }
            supervisor.isEscalationCertain = false
        }
        if supervisor.intensity != specification.intensity { uncertainRestarts(of: supervisor) { _ in true } }
        supervisor.parent = parent
        supervisor.specification = specification
        present[specification.name] = supervisor
        supervisorOrder.append(supervisor)
        let chain = [supervisor] + supervisor.ancestors
        let first = order.count
        for child in specification.children {
            switch child {
            case .worker(let worker):
                if let id = identities[worker.name] {
                    place(worker, id: id, chain: chain)
                } else {
                    fail(.statusConsistent, "worker \(worker.name) is configured, but the status does not show it")
                }
            case .supervisor(let inner):
                layOut(
                    inner, parent: supervisor, isMovedAlong: isMoved, identities: identities, present: &present)
            }
        }
        supervisor.places = first..<order.count
    }

    private func place(_ specification: WorkerSpecification, id: WorkerID, chain: [SupervisorModel]) {
        let worker = workers[id] ?? WorkerModel(id: id, specification: specification)
        if workers[id] != nil { adjust(worker, to: specification, chain: chain) } else { roster.append(worker) }
        worker.chain = chain
        workers[id] = worker
        order.append(worker)
    }

    /// A reload changes a worker that is there.
    private func adjust(_ worker: WorkerModel, to specification: WorkerSpecification, chain: [SupervisorModel]) {
        let former = worker.specification
        let moved = worker.chain.first !== chain.first
        if moved, let supervisor = worker.supervisor {
            worker.movedInStep = step
            uncertainRestarts(of: supervisor) { $0 == worker.name }
        }
        if worker.isRemoved {
            worker.isRemoved = false
            worker.isWanted = specification.startsAutomatically
            worker.hasOtherCause = true
            worker.failuresLow = 0
        }
        let movesAlong = worker.chain.map(\.name) != chain.map(\.name)
        guard former != specification || movesAlong else { return }
        worker.specification = specification
        worker.hasOtherCause = true
        worker.failuresLow = 0
        let wasPaused = !worker.reasons.isEmpty
        if specification.isEssential { worker.reasons = worker.reasons.filter { !$0.isShedding } }
        guard let instance = worker.instance else { return }
        defer { if wasPaused, worker.reasons.isEmpty { resumeClocks(of: worker) } }
        if former.launch != specification.launch { instance.isToBeStopped = true }
        if former != specification { instance.specifications.append(specification) }
        loosenClocks(of: instance, worker, former: former)
    }

    /// What a policy change does to running clocks is left open: now by the old rule, or anew by the new one.
    private func loosenClocks(of instance: InstanceModel, _ worker: WorkerModel, former: WorkerSpecification) {
        let specification = worker.specification
        if former.watchdog != specification.watchdog, instance.isReady, worker.reasons.isEmpty {
            let anew = specification.watchdog.map { Due(now.advanced(by: $0)) }
            instance.watchdog = Due(
                earliest: min(instance.watchdog?.earliest ?? Due.never, anew?.earliest ?? Due.never),
                latest: Due.never)
        }
        if former.checkpoints != specification.checkpoints, instance.isReady, worker.reasons.isEmpty {
            let running = instance.checkpoints
            armCheckpoints(worker, instance)
            for (name, due) in instance.checkpoints {
                if let other = running[name] { instance.checkpoints[name] = due.widened(by: other) }
            }
        }
        if former.startTimeout != specification.startTimeout, let running = instance.startTimeout {
            let anew = [instance.orderedAt, now].map { Due($0.advanced(by: specification.startTimeout)) }
            instance.startTimeout = anew.reduce(running) { $0.widened(by: $1) }
        }
        if former.stopPlan != specification.stopPlan {
            for due in [\InstanceModel.stageDue, \InstanceModel.announcedStop] {
                if let running = instance[keyPath: due] {
                    let other = Due(earliest: now, latest: now.advanced(by: specification.stopPlan.longest))
                    instance[keyPath: due] = running.widened(by: other)
                }
            }
        }
    }

    private func markRemoved(_ worker: WorkerModel) {
        worker.isRemoved = true
        worker.isWanted = false
        worker.instance?.isToBeStopped = true
    }

    /// Keeps the restarts as possible ones where a reload changes what they belong to.
    func uncertainRestarts(of supervisor: SupervisorModel, where concerns: (String) -> Bool) {
        for index in supervisor.restarts.indices where concerns(supervisor.restarts[index].child) {
            supervisor.restarts[index].isCertain = false
        }
    }
}
