import MonotonicTime
import Supervision

extension Observer {
    /// Compares what the tree shows with the account.
    func checkStatus(_ status: TreeStatus) {
        countSupervisorRestarts(status)
        var place = -1
        for shown in status.workers {
            guard let worker = workers[shown.id] else {
                fail(.statusConsistent, "the status shows \(shown.name), which is not configured")
                continue
            }
            checkIdentity(worker, shown)
            checkPhase(worker, shown)
            require(
                worker.restarts.contains(shown.restarts), .restartPolicy,
                "\(shown.name) shows \(shown.restarts) restarts, \(worker.restarts) were made")
            if worker.isRemoved { continue }
            require(worker.position > place, .statusConsistent, "the status is not in tree order")
            place = worker.position
            if worker.instance == nil { checkDown(worker, shown, status) }
        }
        if !isShuttingDown {
            let present = status.workers.filter { workers[$0.id].map { !$0.isRemoved } ?? true }.count
            require(present == order.count, .statusConsistent, "the status shows \(present) of \(order.count) workers")
        }
        for shown in status.supervisors { checkSupervisor(shown) }
    }

    private func checkIdentity(_ worker: WorkerModel, _ shown: WorkerStatus) {
        require(
            shown.instance == worker.instance?.id, .statusConsistent,
            "\(shown.name) is shown with instance \(shown.instance.map { "\($0.rawValue)" } ?? "none"), but has "
                + "\(worker.instance.map { "\($0.id.rawValue)" } ?? "none")")
        guard !worker.isRemoved, !isShuttingDown else { return }
        require(shown.name == worker.name, .statusConsistent, "\(worker.name) is shown as \(shown.name)")
        require(
            shown.supervisor == worker.supervisor?.name, .statusConsistent,
            "\(shown.name) is shown under \(shown.supervisor)")
        require(
            shown.isEssential == worker.specification.isEssential, .statusConsistent, "\(shown.name): wrong isEssential"
        )
        require(
            !shown.isEssential || shown.pauseReasons.allSatisfy { !$0.isShedding }, .essentialNotShed,
            "essential worker \(shown.name) is shed for \(shown.pauseReasons)")
        require(
            Set(shown.pauseReasons) == worker.reasons && shown.pauseReasons == shown.pauseReasons.sorted(),
            .pausedWithReason, "\(shown.name) shows \(shown.pauseReasons), but \(worker.reasons.sorted()) hold")
    }

    /// The state of a worker that has a process.
    private func checkPhase(_ worker: WorkerModel, _ shown: WorkerStatus) {
        guard let instance = worker.instance else { return }
        let expected: [WorkerState]
        if instance.exitedAt != nil || instance.ending != .none || instance.isToBeStopped {
            expected = [.stopping]
        } else if instance.spawnedAt == nil {
            expected = [.starting]
        } else if instance.announcedStop != nil {
            expected = worker.reasons.isEmpty ? [.stopping] : [.stopping, .paused]
        } else if !worker.reasons.isEmpty {
            expected = [.paused]
        } else {
            expected = instance.isReady ? [.ready] : [.running]
        }
        require(
            expected.contains(shown.state),
            shown.state == .paused || expected == [.paused] ? .pausedWithReason : .statusConsistent,
            "\(shown.name) is shown as \(shown.state), but is \(expected.map(\.rawValue).joined(separator: " or "))")
        if instance.announcedStop == nil {
            require(
                instance.isFrozen == (shown.state == .paused), .pausedWithReason,
                "\(shown.name) is shown as \(shown.state), but its group is \(instance.isFrozen ? "" : "not ")frozen")
        }
        switch shown.state {
        case .ready: require(shown.isReady, .statusConsistent, "\(shown.name) is ready, but isReady is false")
        case .paused: break
        default: require(!shown.isReady, .statusConsistent, "\(shown.name) is \(shown.state), but isReady is true")
        }
    }

    /// The state of a worker without a process: invariant 3.
    private func checkDown(_ worker: WorkerModel, _ shown: WorkerStatus, _ status: TreeStatus) {
        let isFree = isStarted && !isShuttingDown && !worker.chain.contains { isDown($0, status) }
        switch shown.state {
        case .starting, .running, .ready, .paused, .stopping:
            fail(.statusConsistent, "\(shown.name) is shown as \(shown.state), but has no process")
        case .stopped:
            let isSupervised = isStarted && !isShuttingDown
            require(!worker.isWanted || !isSupervised, .neverStuck, "\(shown.name) is wanted, but shown as stopped")
        case .held:
            require(!worker.reasons.isEmpty, .pausedWithReason, "\(shown.name) is held without a reason")
            require(worker.isWanted, .neverStuck, "\(shown.name) is held, but nobody wants it")
            require(shown.heldFor != nil, .neverStuck, "\(shown.name) is held, but not said for what")
        case .waiting:
            require(worker.isWanted, .neverStuck, "\(shown.name) waits, but nobody wants it")
            if isFree { checkWaiting(worker, shown, status) }
            require(shown.heldFor != nil || isShuttingDown, .neverStuck, "\(shown.name) waits, but not said for what")
        case .backingOff:
            require(worker.isWanted, .neverStuck, "\(shown.name) backs off, but nobody wants it")
            require(worker.reasons.isEmpty, .pausedWithReason, "\(shown.name) backs off, but ought to be held")
            checkBackingOff(worker, shown)
        case .failed: checkFailed(worker, shown)
        case .finished:
            if case .left(success: true) = worker.lastEnd { break }
            require(worker.hasOtherCause, .restartPolicy, "\(shown.name) is shown as finished, but is not")
        }
    }

    private func isDown(_ supervisor: SupervisorModel, _ status: TreeStatus) -> Bool {
        status.supervisors.first { $0.name == supervisor.name }.map { $0.state != .up } ?? true
    }

    /// Someone before it must be on the way, or visibly not.
    private func checkWaiting(_ worker: WorkerModel, _ shown: WorkerStatus, _ status: TreeStatus) {
        let isBlocked = order[..<worker.position].contains { other in
            guard other.isWanted else { return false }
            guard let instance = other.instance else {
                return !status.workers.contains { $0.id == other.id && $0.state == .finished }
            }
            return !instance.isReady || instance.isFrozen || instance.ending != .none
                || instance.announcedStop != nil
        }
        let isBehindSupervisor = supervisorOrder.contains {
            $0.parent === worker.supervisor && $0.places.upperBound <= worker.position && isDown($0, status)
        }
        require(isBlocked || isBehindSupervisor, .neverStuck, "\(shown.name) waits, but nobody before it is missing")
    }

    private func checkBackingOff(_ worker: WorkerModel, _ shown: WorkerStatus) {
        guard let next = shown.nextAttempt else {
            return fail(.neverStuck, "\(shown.name) backs off without a time for its next start")
        }
        guard !worker.hasOtherCause, case .failed = worker.lastEnd else { return }
        let base = max(worker.failedAt, worker.goneAt ?? worker.failedAt)
        require(
            next <= base.advanced(by: worker.waits.upperBound), .restartPolicy,
            "\(shown.name) waits until \(next.nanoseconds), longer than its back-off of \(worker.waits)")
    }

    private func checkFailed(_ worker: WorkerModel, _ shown: WorkerStatus) {
        guard !worker.hasOtherCause else { return }
        switch worker.lastEnd {
        case .left(success: false): break
        case .failed where worker.parkedAlone: break
        case .failed:
            let maximum = worker.specification.attempts.maximum
            require(
                maximum.map { worker.failuresHigh > $0 } ?? false, .restartPolicy,
                "\(shown.name) is given up after \(worker.failuresHigh) failures")
            require(
                (shown.nextAttempt != nil) == (worker.specification.attempts.retryAfterGivingUp != nil), .neverStuck,
                "\(shown.name) is given up, and its next try is not as configured")
        case .none, .asked, .left: fail(.restartPolicy, "\(shown.name) is shown as failed, but did not fail")
        }
    }

    private func checkSupervisor(_ shown: SupervisorStatus) {
        guard let supervisor = supervisors[shown.name], !isShuttingDown else { return }
        require(
            shown.parent == supervisor.parent?.name && shown.strategy == supervisor.specification.strategy
                && shown.intensity == supervisor.intensity,
            .statusConsistent, "\(shown.name) is not shown as configured")
        if shown.state == .up {
            let window = windowToShow(of: supervisor)
            require(
                window.contains(shown.restartsInWindow), .restartIntensity,
                "\(shown.name) shows \(shown.restartsInWindow) restarts in its window, \(window) were made")
        }
        if shown.state == .parked, case .park(let retry) = supervisor.specification.onIntensityExceeded, retry != nil {
            require(
                shown.nextAttempt != nil || supervisor.intensity.scope == .perChild, .neverStuck,
                "\(shown.name) is parked without a time for its next try")
        }
    }

    /// The restarts of all children, or where each has an allowance of its own those of the one with the most.
    private func windowToShow(of supervisor: SupervisorModel) -> ClosedRange<Int> {
        guard supervisor.intensity.scope == .perChild else { return supervisor.restartsInWindow(at: now, of: nil) }
        let children =
            order.filter { $0.supervisor === supervisor }.map(\.name)
            + supervisorOrder.filter { $0.parent === supervisor }.map(\.name)
        let windows = children.map { supervisor.restartsInWindow(at: now, of: $0) }
        return (windows.map(\.lowerBound).max() ?? 0)...(windows.map(\.upperBound).max() ?? 0)
    }

    /// The reported changes of each worker lead from the state shown before...
    func followChange(of id: WorkerID, from: WorkerState, to: WorkerState) {
        guard let worker = workers[id] else { return }
        require(
            worker.reportedState == nil || worker.reportedState == from, .statusConsistent,
            "\(worker.name) is reported to leave \(from), but was \(worker.reportedState?.rawValue ?? "")")
        require(from != to, .statusConsistent, "\(worker.name) is reported to change from \(from) to itself")
        worker.reportedState = to
        switch (from, to) {
        case (.backingOff, .held), (.failed, .held): worker.isRetryDue = event == .deadlineReached
        case (.held, .waiting): break
        case (.starting, .held): break  // it keeps its turn if it was interrupted, and has none if it failed
        default: worker.isRetryDue = false
        }
    }

    /// ... to the state shown now.
    func checkReportChain(_ status: TreeStatus) {
        for shown in status.workers {
            guard let reported = workers[shown.id]?.reportedState else { continue }
            require(
                reported == shown.state, .statusConsistent,
                "\(shown.name) is shown as \(shown.state), but was last reported as \(reported)")
        }
    }
}
