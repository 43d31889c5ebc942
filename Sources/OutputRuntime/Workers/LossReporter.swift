import LinuxSystem
import MonotonicTime

/// Reports losses at most once per worker and second; holdfastd makes fewer events of them, the longer they last. The timer runs only while there is something to report.
final class LossReporter {
    static let period: Duration = .seconds(1)

    private let loop: EventLoop
    private var waiting: [String: WorkerOutput] = [:]
    private var timer: TimerID?

    /// Delivers one report.
    var report: (WorkerOutput, LossReport) -> Void = { _, _ in }

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// The worker has losses: they are reported, with those of the next second, when the second is over.
    func note(_ worker: WorkerOutput) {
        waiting[worker.name] = worker
        guard timer == nil else { return }
        timer = loop.schedule(at: loop.now.advanced(by: LossReporter.period)) { [weak self] in
            self?.timer = nil
            self?.reportAll()
        }
    }

    /// Reports what there is, without waiting.
    func reportAll() {
        if let timer { loop.cancel(timer) }
        timer = nil
        let workers = waiting
        waiting = [:]
        for worker in workers.values {
            if let loss = worker.losses.take() { report(worker, loss) }
        }
    }
}
