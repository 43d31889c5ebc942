import MonotonicTime

/// Restart intensity and what follows when it would be exceeded.
extension SupervisorTree {
    /// Counts a restart that is about to be made, or refuses it and parks or escalates instead.
    mutating func admitRestart(of child: Child, by supervisor: SupervisorID) -> Bool {
        if wouldExceedIntensity(restarting: child, in: supervisor) {
            exceedIntensity(restarting: child, in: supervisor)
            return false
        }
        let window = supervisors[supervisor].intensity.within
        supervisors[supervisor].restarts.removeAll { $0.at.duration(to: now) >= window }
        supervisors[supervisor].restarts.append((child: name(of: child), at: now))
        return true
    }

    func wouldExceedIntensity(restarting child: Child, in supervisor: SupervisorID) -> Bool {
        restartsInWindow(of: supervisor, countedWith: child) >= supervisors[supervisor].intensity.maxRestarts
    }

    /// The restarts within the window that ends now: all, or with the per-child scope those of `child`.
    func restartsInWindow(
        of supervisor: SupervisorID, countedWith child: Child? = nil, at instant: MonotonicInstant? = nil
    ) -> Int {
        let node = supervisors[supervisor]
        let only = node.intensity.scope == .shared ? nil : child.map { name(of: $0) }
        return node.restarts.count { restart in
            restart.at.duration(to: instant ?? now) < node.intensity.within && (only == nil || restart.child == only)
        }
    }

    /// What exceeding the intensity of `supervisor` leads to. The root has nobody to escalate to.
    func reaction(of supervisor: SupervisorID) -> IntensityReaction {
        let node = supervisors[supervisor]
        if node.onIntensityExceeded == .escalate, node.parent == nil || node.intensity.scope == .perChild {
            return .park(retryAfter: Self.retryOfUnescalatable)
        }
        return node.onIntensityExceeded
    }

    private static var retryOfUnescalatable: Duration { .seconds(300) }

    private mutating func exceedIntensity(restarting child: Child, in supervisor: SupervisorID) {
        let reaction = reaction(of: supervisor)
        let node = supervisors[supervisor]
        let worker: WorkerID? = if case .worker(let worker) = child { worker } else { nil }
        let refused = RefusedRestart(child: name(of: child), worker: worker, intensity: node.intensity)
        report(.intensityExceeded(supervisor: node.name, refused: refused, reaction: reaction))
        switch (supervisors[supervisor].intensity.scope, reaction) {
        case (.perChild, .park(let retryAfter)):
            park(child, retryAfter: retryAfter)
            let name = name(of: child)
            supervisors[supervisor].restarts.removeAll { $0.child == name }
        case (.shared, .park(let retryAfter)):
            openScope(supervisor, for: .park(retryAfter: retryAfter))
        case (_, .escalate):
            openScope(supervisor, for: .escalate)
        }
    }

    /// Parks one child alone, its siblings stay as they are.
    private mutating func park(_ child: Child, retryAfter: Duration?) {
        switch child {
        case .worker(let worker):
            enter(worker, .failed(retryAt: retryAfter.map { now + $0 }))
        case .supervisor(let supervisor):
            supervisors[supervisor].phase = .parked(until: retryAfter.map { now + $0 })
        }
    }

    /// A supervisor has escalated and is down: its parent's strategy decides.
    mutating func supervisorFailed(_ supervisor: SupervisorID) {
        guard let parent = supervisors[supervisor].parent, admitsStarts(parent) else { return }
        let isAbsorbed = supervisors[parent].isInStopScope(.supervisor(supervisor))
        supervisors[supervisor].phase = .waiting
        guard !isAbsorbed else { return }
        // Judged at once, as for a worker without a wait: nobody else is restarted for a restart that is refused.
        guard !wouldExceedIntensity(restarting: .supervisor(supervisor), in: parent) else {
            return exceedIntensity(restarting: .supervisor(supervisor), in: parent)
        }
        supervisors[supervisor].owesRestart = true
        supervisors[supervisor].skipsGate = supervisors[parent].strategy == .oneForOne
        restartGroup(of: .supervisor(supervisor), named: supervisors[supervisor].name, in: parent)
    }

    /// Opens the stop scope that the parent's strategy asks for around a failed child.
    /// - Returns: whether siblings are affected.
    @discardableResult
    mutating func restartGroup(of child: Child, named name: String, in parent: SupervisorID) -> Bool {
        guard let index = supervisors[parent].entries.firstIndex(where: { $0.child == child }) else { return false }
        let first: Int
        switch supervisors[parent].strategy {
        case .oneForOne: return false
        case .oneForAll: first = 0
        case .restForOne: first = index
        }
        guard supervisors[parent].entries.indices.contains(where: { $0 >= first && $0 != index }) else { return false }
        openScope(parent, from: first, for: .startAgain)
        report(.groupRestarted(supervisor: supervisors[parent].name, because: name))
        return true
    }
}
