import MonotonicTime
import Supervision

/// Which supervisors stop their children together, and whom that concerns.
extension Observer {
    /// Enters which supervisors stop their children now, and why.
    func noteSupervisors(_ status: TreeStatus) {
        for supervisor in supervisorOrder { supervisor.concernedSoFar = supervisor.concernedFrom }
        for shown in status.supervisors {
            guard let supervisor = supervisors[shown.name] else { continue }
            let isStopping = shown.state != .up || reportsStop(of: supervisor)
            if isStopping {
                if supervisor.stoppingSince == nil { supervisor.stoppingSince = step }
                noteConcerned(supervisor)
                markGroup(supervisor, isStartedAgain: shown.state != .parked && !reportsExcess(of: supervisor))
            }
        }
        noteSupervisorsBelow()
    }

    /// Supervisors below one that stops may go down and come up again within one step.
    private func noteSupervisorsBelow() {
        for supervisor in supervisorOrder {
            let isTakenDown = supervisor.ancestors.contains {
                $0.stoppingSince != nil && supervisor.places.lowerBound >= $0.concernedFrom
            }
            if isTakenDown { forgetAccounts(below: supervisor) }
        }
    }

    private func reportsStop(of supervisor: SupervisorModel) -> Bool {
        if isShuttingDown { return true }
        return actions.contains { action in
            switch action {
            case .report(.groupRestarted(supervisor.name, _)), .report(.intensityExceeded(supervisor.name, _, _)): true
            default: false
            }
        }
    }

    private func noteConcerned(_ supervisor: SupervisorModel) {
        for action in actions {
            guard case .report(let report) = action, let stop = reportedStop(report), stop.supervisor === supervisor
            else { continue }
            supervisor.concernedFrom = min(supervisor.concernedFrom, stop.first)
        }
        // Stopped along with its parent.
        if supervisor.ancestors.contains(where: { $0.stoppingSince != nil }) || isShuttingDown || supervisor.isRemoved {
            supervisor.concernedFrom = 0
            supervisor.isConcernUnknown = true
        }
    }

    /// Which supervisor a report says to stop its children, and from which place in tree order on; none at all when the
    /// place is `Int.max`.
    private func reportedStop(_ report: Report) -> (supervisor: SupervisorModel, first: Int)? {
        switch report {
        case .groupRestarted(let name, let because):
            guard let supervisor = supervisors[name] else { return nil }
            return (supervisor, supervisor.specification.strategy == .restForOne ? firstPlace(of: because) : 0)
        case .intensityExceeded(let name, _, _):
            guard let supervisor = supervisors[name] else { return nil }
            return (supervisor, supervisor.intensity.scope == .shared ? 0 : .max)
        default: return nil
        }
    }

    /// Enters a report in its order among the actions.
    func noteReportedStop(_ report: Report) {
        guard let (supervisor, first) = reportedStop(report) else { return }
        supervisor.reportedStopInStep = step
        supervisor.concernedSoFar = min(supervisor.concernedSoFar, first)
    }

    /// A group operation is a cause of its own for every worker that it concerns, but for the one that failed.
    private func markGroup(_ supervisor: SupervisorModel, isStartedAgain: Bool) {
        for worker in order[supervisor.places] where worker.position >= supervisor.concernedFrom {
            if let instance = worker.instance, instance.exitedAt != nil || instance.ending != .none {
                instance.isAmbiguous = true
            }
            if case .failed = worker.lastEnd, isStartedAgain, worker.supervisor === supervisor { continue }
            worker.hasOtherCause = true
        }
    }

    /// The supervisor goes down: when it is up again, its children start, and are not restarted.
    func forgetAccounts(below supervisor: SupervisorModel) {
        uncertainRestarts(of: supervisor) { _ in true }
        for other in supervisorOrder where other.ancestors.contains(where: { $0 === supervisor }) {
            other.isEscalationCertain = false
        }
    }

    private func reportsExcess(of supervisor: SupervisorModel) -> Bool {
        actions.contains { action in
            if case .report(.intensityExceeded(supervisor.name, _, _)) = action { true } else { false }
        }
    }

    private func firstPlace(of child: String) -> Int {
        if let supervisor = supervisors[child] { return supervisor.places.lowerBound }
        return order.firstIndex { $0.name == child } ?? 0
    }
}
