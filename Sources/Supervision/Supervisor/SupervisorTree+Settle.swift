import MonotonicTime

extension SupervisorTree {
    /// Lets `supervisor` and every ancestor continue what it wants, in the state that things now are in.
    mutating func settle(_ supervisor: SupervisorID) {
        // A start can exceed the restart intensity and so open a stop scope, which has to begin at once.
        repeat {
            advanceStopScope(supervisor)
        } while advanceStartSequence(supervisor)
        if let parent = supervisors[supervisor].parent { settle(parent) }
    }

    func isDown(_ child: Child) -> Bool {
        switch child {
        case .worker(let worker): workers[worker].phase.isDown
        case .supervisor(let supervisor): supervisors[supervisor].phase != .up && !hasProcesses(supervisor)
        }
    }

    /// Whether a worker below has a process. A supervisor that is not up may have some: a reload moved them there, and
    /// they are on their way down.
    func hasProcesses(_ supervisor: SupervisorID) -> Bool {
        supervisors[supervisor].entries.contains { entry in
            switch entry.child {
            case .worker(let worker): !workers[worker].phase.isDown
            case .supervisor(let child): hasProcesses(child)
            }
        }
    }

    /// Whether the supervisor may start children: it is up and not about to go down.
    func admitsStarts(_ supervisor: SupervisorID) -> Bool {
        guard shutdown == .none else { return false }
        let node = supervisors[supervisor]
        return node.phase == .up && (node.scope == nil || node.scope == .startAgain)
    }
}
