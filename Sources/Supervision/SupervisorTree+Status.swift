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
                restartsInWindow: shownRestarts(of: supervisor, at: now),
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

    /// What stands against `maxRestarts`: with an allowance for each child, the most that any one of them has used.
    private func shownRestarts(of supervisor: SupervisorID, at now: MonotonicInstant) -> Int {
        let node = supervisors[supervisor]
        guard node.intensity.scope == .perChild else { return restartsInWindow(of: supervisor, at: now) }
        var counts: [String: Int] = [:]
        for restart in node.restarts where restart.at.duration(to: now) < node.intensity.within {
            counts[restart.child, default: 0] += 1
        }
        // A child that has left the tree uses no allowance.
        guard !counts.isEmpty else { return 0 }
        return node.entries.map { counts[name(of: $0.child), default: 0] }.max() ?? 0
    }

    private func state(of node: SupervisorNode) -> SupervisorStatus.State {
        switch node.phase {
        case .up: node.scope == nil ? .up : .stopping
        case .parked: .parked
        case .down, .waiting: .down
        }
    }

    private func nextAttempt(of node: SupervisorNode) -> MonotonicInstant? {
        switch node.phase {
        case .parked(let until): until
        case .up: nil
        case .down, .waiting:
            // It comes up again with the one that took it down.
            obstacle(above: node).flatMap { if case .parked(let until) = $0.phase { until } else { nil } }
        }
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
            guard let obstacle = obstacle(above: parent) else {
                return blocker(of: .worker(node.id), in: parent.id).map { "after \($0)" }
            }
            switch obstacle.phase {
            case .parked: return "supervisor \(obstacle.name) is parked"
            case .down, .waiting: return "supervisor \(obstacle.name) is down"
            case .up: return "supervisor \(obstacle.name) is stopping its children"
            }
        case .failed:
            return isParkedAlone(node, in: parent) ? "the restart intensity of \(parent.name) is exceeded" : nil
        case .stopped, .starting, .running, .ready, .paused, .stopping, .backingOff, .finished:
            return nil
        }
    }

    /// The supervisor that keeps the children of `parent` down: `parent` itself, or the one above that took it down.
    private func obstacle(above parent: SupervisorNode) -> SupervisorNode? {
        var found: SupervisorNode?
        var next: SupervisorNode? = parent
        while let node = next, node.phase != .up || node.scope != nil {
            found = node
            next = node.parent.map { supervisors[$0] }
        }
        return found
    }

    /// Failed, though its own policy and attempts would have it restarted.
    private func isParkedAlone(_ node: WorkerNode, in parent: SupervisorNode) -> Bool {
        guard parent.intensity.scope == .perChild, node.specification.restart != .never else { return false }
        return node.specification.attempts.maximum.map { node.failures <= $0 } ?? true
    }

    private func nextAttempt(of node: WorkerNode, in parent: SupervisorNode) -> MonotonicInstant? {
        switch node.phase {
        case .backingOff(let until): until
        case .failed(let retryAt): retryAt
        case .waiting: obstacle(above: parent).flatMap { nextAttempt(of: $0) }
        case .stopped, .held, .starting, .running, .ready, .paused, .stopping, .finished: nil
        }
    }

    private func forgottenAt(_ node: WorkerNode) -> MonotonicInstant? {
        if case .ready(let live) = node.phase { return live.stableAt }
        return nil
    }
}
