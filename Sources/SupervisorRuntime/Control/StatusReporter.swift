import ControlProtocol
import MonotonicTime
import Supervision

/// The tree's status in the words of the control interface.
struct StatusReporter {
    let now: MonotonicInstant
    /// What the shell knows of a worker and the tree does not.
    let pid: (InstanceID) -> Int?
    let statusText: (WorkerID) -> String?

    func report(_ runtime: RuntimeReport, _ status: TreeStatus) -> StatusReport {
        StatusReport(
            runtime: runtime, supervisors: status.supervisors.map(supervisor), workers: status.workers.map(worker))
    }

    private func supervisor(_ status: SupervisorStatus) -> SupervisorReport {
        SupervisorReport(
            name: status.name,
            parent: status.parent,
            strategy: status.strategy.rawValue,
            maxRestarts: status.intensity.maxRestarts,
            within: status.intensity.within.inSeconds,
            restartsInWindow: status.restartsInWindow,
            state: status.state.rawValue,
            nextAttempt: seconds(until: status.nextAttempt),
            children: status.children)
    }

    private func worker(_ status: WorkerStatus) -> WorkerReport {
        WorkerReport(
            name: status.name,
            supervisor: status.supervisor,
            state: status.state.rawValue,
            pid: status.instance.flatMap(pid),
            isReady: status.isReady,
            isEssential: status.isEssential,
            restarts: status.restarts,
            pauseReasons: status.pauseReasons.map(\.rawValue),
            heldFor: status.heldFor,
            nextAttempt: seconds(until: status.nextAttempt),
            attemptsLeft: status.attemptsLeft,
            failuresForgotten: seconds(until: status.failuresForgottenAt),
            lastExit: Wording.exit(status.lastExit, status.lastFailure),
            uptime: status.startedAt.map { $0.duration(to: now).inSeconds },
            statusText: statusText(status.id))
    }

    private func seconds(until instant: MonotonicInstant?) -> Double? {
        instant.map { max(0, now.duration(to: $0).inSeconds) }
    }
}
