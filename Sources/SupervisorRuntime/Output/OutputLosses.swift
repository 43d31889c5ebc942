import LinuxSystem
import MonotonicTime

/// The ledger of losses on the event loop. Its timer runs only while something is lost.
final class OutputLosses {
    private let loop: EventLoop
    private var ledger = LossLedger()
    private var timer: TimerID?
    private var timerDeadline: MonotonicInstant?

    /// Tells one summary.
    var report: (LossLedger.Summary) -> Void = { _ in }

    init(loop: EventLoop) {
        self.loop = loop
    }

    func note(_ loss: LossLedger.Share, of worker: String) {
        if let summary = ledger.add(loss, of: worker, at: loop.now) { report(summary) }
        rearm()
    }

    /// Tells the rest of a worker that leaves the tree, or of all before the runtime ends.
    func close(_ worker: String? = nil) {
        for summary in ledger.takeAll(of: worker) { report(summary) }
        rearm()
    }

    private func rearm() {
        let deadline = ledger.nextDeadline
        guard deadline != timerDeadline else { return }
        if let timer { loop.cancel(timer) }
        timerDeadline = deadline
        timer = deadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in self?.reachDeadline() }
        }
    }

    private func reachDeadline() {
        timer = nil
        timerDeadline = nil
        for summary in ledger.takeDue(at: loop.now) { report(summary) }
        rearm()
    }
}
