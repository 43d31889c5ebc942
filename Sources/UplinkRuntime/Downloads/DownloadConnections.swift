import FleetTransfer
import LinuxSystem
import MonotonicTime

/// The connections of all downloads, made when the first one needs them and ended when none has for a while. They are apart from
/// the link's: a download that fills its connection does not keep a batch or a command waiting for it.
final class DownloadConnections {
    private static let idleTime: Duration = .seconds(10)

    private let loop: EventLoop
    private let link: Link
    private var transfer: Transfer?
    private var underWay = 0
    private var timer: TimerID?

    init(loop: EventLoop, link: Link) {
        self.loop = loop
        self.link = link
    }

    deinit {
        if let timer { loop.cancel(timer) }
        transfer?.end()
    }

    /// - Parameter completion: called once, later, unless it is cancelled or the connections are dropped.
    func begin(_ order: Transfer.Order, _ completion: @escaping Transfer.Completion) throws(Transfer.Failure)
        -> Transfer.RequestID?
    {
        let transfer = if let transfer { transfer } else { try link.makeTransfer() }
        self.transfer = transfer
        if let timer { loop.cancel(timer) }
        timer = nil
        transfer.judgeDates(link.clock.isPlausible)
        underWay += 1
        return transfer.begin(order) { [weak self, weak transfer] result in
            if let self, self.transfer === transfer { ended() }
            completion(result)
        }
    }

    func cancel(_ request: Transfer.RequestID) {
        guard let transfer, transfer.cancel(request) else { return }
        ended()
    }

    /// Drops every connection; no completion follows.
    func drop() {
        if let timer { loop.cancel(timer) }
        timer = nil
        underWay = 0
        guard let old = transfer else { return }
        transfer = nil
        // Not at once: this may be within one of its completions.
        loop.schedule(at: loop.now) { old.end() }
    }

    private func ended() {
        underWay -= 1
        guard underWay == 0 else { return }
        timer = loop.schedule(at: loop.now + Self.idleTime) { [weak self] in
            guard let self else { return }
            timer = nil
            drop()
            SystemCall.releaseMemory()
        }
    }
}
