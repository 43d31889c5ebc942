import LinuxSystem
import MonotonicTime

/// What was not taken in, by worker and reason: the first loss is told at once, and then the sums, once a minute as long as
/// it goes on.
final class IntakeLosses {
    private struct Account {
        var counts: [TelemetryFault.Reason: Int] = [:]
        /// The latest fault in words.
        var example = ""
        var due: MonotonicInstant
    }

    static let distance: Duration = .seconds(60)

    private let loop: EventLoop
    private var accounts: [String: Account] = [:]
    private var timer: TimerID?

    /// Tells what was lost of one worker.
    var report: (_ worker: String, _ counts: [(reason: TelemetryFault.Reason, count: Int)], _ example: String) -> Void =
        { _, _, _ in }

    init(loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        if let timer { loop.cancel(timer) }
    }

    func add(_ fault: TelemetryFault, _ count: Int = 1, of worker: String) {
        guard count > 0 else { return }
        guard accounts[worker] != nil else {
            accounts[worker] = Account(due: loop.now + Self.distance)
            report(worker, [(fault.reason, count)], fault.message)
            return rearm()
        }
        accounts[worker]?.counts[fault.reason, default: 0] += count
        accounts[worker]?.example = fault.message
    }

    /// Tells what is not told yet: before this process ends, or the worker is forgotten.
    func tellAll(of worker: String? = nil) {
        for (name, account) in accounts where worker == nil || worker == name {
            tell(name, account)
            accounts[name] = nil
        }
        rearm()
    }

    private func tell(_ worker: String, _ account: Account) {
        let counts = TelemetryFault.Reason.allCases.compactMap { reason in
            account.counts[reason].map { (reason: reason, count: $0) }
        }
        if !counts.isEmpty { report(worker, counts, account.example) }
    }

    private func rearm() {
        if let timer { loop.cancel(timer) }
        timer = accounts.values.lazy.map(\.due).min().map { due in
            loop.schedule(at: due) { [weak self] in self?.tellDue() }
        }
    }

    private func tellDue() {
        timer = nil
        for (name, account) in accounts where account.due <= loop.now {
            tell(name, account)
            accounts[name] = account.counts.isEmpty ? nil : Account(due: loop.now + Self.distance)
        }
        rearm()
    }
}
