package import MonotonicTime

extension SupervisorTree {
    /// The whole tree as it stands. Linear in its size.
    package func status(at now: MonotonicInstant) -> TreeStatus {
        var status = TreeStatus(supervisors: [], workers: [])
        append(root, to: &status, at: now)
        return status
    }

    private func append(_ supervisor: SupervisorID, to status: inout TreeStatus, at now: MonotonicInstant) {
        let node = supervisors[supervisor]
        status.supervisors.append(
            SupervisorStatus(
                name: node.name,
                parent: node.parent.map { supervisors[$0].name },
                strategy: node.strategy,
                intensity: node.intensity,
                restartsInWindow: restartsInWindow(of: supervisor, at: now),
                state: state(of: node),
                nextAttempt: nextAttempt(of: node),
                children: node.entries.map { name(of: $0.child) }))
        for entry in node.entries {
            switch entry.child {
            case .worker(let worker): status.workers.append(self.status(of: worker, in: node))
            case .supervisor(let child): append(child, to: &status, at: now)
            }
        }
    }

    private func state(of node: SupervisorNode) -> SupervisorStatus.State {
        switch node.phase {
        case .up: node.scope == nil ? .up : .stopping
        case .parked: .parked
        case .down, .waiting: .down
        }
    }

    private func nextAttempt(of node: SupervisorNode) -> MonotonicInstant? {
        if case .parked(let until) = node.phase { return until }
        return nil
    }

    func name(of child: Child) -> String {
        switch child {
        case .worker(let worker): workers[worker].specification.name
        case .supervisor(let supervisor): supervisors[supervisor].name
        }
    }

    private func status(of worker: WorkerID, in parent: SupervisorNode) -> WorkerStatus {
        let node = workers[worker]
        let live = node.phase.instance
        return WorkerStatus(
            id: worker,
            name: node.specification.name,
            supervisor: parent.name,
            state: node.phase.state,
            instance: live?.id,
            isReady: node.phase.state == .ready,
            isEssential: node.specification.isEssential,
            restarts: node.restarts,
            pauseReasons: node.pauseReasons.sorted(),
            heldFor: whatHolds(node, in: parent),
            nextAttempt: nextAttempt(of: node, in: parent),
            attemptsLeft: node.specification.attempts.maximum.map { max(0, $0 - node.failures) },
            failuresForgottenAt: forgottenAt(node),
            lastFailure: node.lastFailure,
            lastExit: node.lastExit,
            startedAt: live?.spawnedAt)
    }

    private func whatHolds(_ node: WorkerNode, in parent: SupervisorNode) -> String? {
        switch node.phase {
        case .held:
            return node.pauseReasons.min()?.rawValue
        case .waiting:
            switch parent.phase {
            case .parked: return "supervisor \(parent.name) is parked"
            case .down, .waiting: return "supervisor \(parent.name) is down"
            case .up: break
            }
            if parent.scope != nil { return "supervisor \(parent.name) is stopping its children" }
            return blocker(of: .worker(node.id), in: parent.id).map { "after \($0)" }
        case .stopped, .starting, .running, .ready, .paused, .stopping, .backingOff, .failed, .finished:
            return nil
        }
    }

    private func nextAttempt(of node: WorkerNode, in parent: SupervisorNode) -> MonotonicInstant? {
        switch node.phase {
        case .backingOff(let until): until
        case .failed(let retryAt): retryAt
        case .waiting: nextAttempt(of: parent)
        case .stopped, .held, .starting, .running, .ready, .paused, .stopping, .finished: nil
        }
    }

    private func forgottenAt(_ node: WorkerNode) -> MonotonicInstant? {
        if case .ready(let live) = node.phase { return live.stableAt }
        return nil
    }
}
