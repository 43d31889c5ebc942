import MonotonicTime
import Supervision

extension Observer {
    /// Nothing is left of the current process: was its end asked for, and what does the policy say?
    func noteGone(_ worker: WorkerModel, _ instance: InstanceModel) {
        worker.instance = nil
        worker.goneAt = now
        worker.failedAt = instance.exitedAt ?? now
        let cause = instance.strike ?? instance.exitCause ?? .exited(.unknown)
        let wasAsked =
            switch instance.ending {
            case .step: true
            case .none, .struck, .killed:
                instance.isToBeStopped || instance.wasKilledOnRequest || instance.isAmbiguous
            }
        if instance.isStable.possibly { worker.failuresLow = 0 }
        if instance.isStable.surely { worker.failuresHigh = 0 }
        if wasAsked || !worker.isWanted || isShuttingDown {
            worker.lastEnd = .asked
            if instance.isAmbiguous || instance.strike != nil, worker.isWanted, !isShuttingDown {
                worker.hasOtherCause = true
                worker.failuresHigh += 1
                if worker.specification.restart != .never { worker.lastEnd = .failed }
            }
            if instance.ending != .step(0) { worker.reportable = ([cause] + instance.otherStrikes, instance.id) }
        } else {
            noteFailure(of: worker, instance, cause)
        }
    }

    private func noteFailure(of worker: WorkerModel, _ instance: InstanceModel, _ cause: FailureCause) {
        let isSuccess = cause == .exited(.exited(code: 0))
        worker.parkedAlone = false
        worker.hasOtherCause = !worker.reasons.isEmpty || stoppingScope(of: worker) != nil
        switch (worker.specification.restart, isSuccess) {
        case (.always, _), (.onFailure, false):
            worker.lastEnd = .failed
            worker.unreported = ([cause] + instance.otherStrikes, instance.id)
            countFailure(of: worker)
        case (.onFailure, true), (.never, true): worker.lastEnd = .left(success: true)
        case (.never, false):
            worker.lastEnd = .left(success: false)
            worker.unreported = ([cause] + instance.otherStrikes, instance.id)
        }
    }

    private func countFailure(of worker: WorkerModel) {
        worker.failuresHigh += 1
        if stoppingScope(of: worker) == nil {
            worker.failuresLow += 1
        }
        // If it failed while its group was being stopped, it is left open whether that counts.
    }

    /// A stable run forgets all failures. Ready time before a pause may count or not, and so may a stable time that
    /// was over before the tree was woken up for it.
    func settleStability(of worker: WorkerModel, _ instance: InstanceModel) {
        let needed = instance.specifications.map(\.backoff.stableAfter)
        let least = needed.min() ?? .zero
        let most = needed.max() ?? .zero
        let current = instance.stableSince?.duration(to: now) ?? .zero
        if current + instance.earlierReadyTime >= least { instance.isStable.possibly = true }
        if let since = instance.stableSince, since.advanced(by: most) <= lastDeadline {
            instance.isStable.surely = true
        }
    }
}
