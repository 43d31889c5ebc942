import LinuxSystem
import MonotonicTime

/// Keeps workers from blocking for ever while no `holdfast-uplink` takes their telemetry: once a second, and only then, a
/// socket that is full is emptied, and its datagrams are counted as lost. One that is not full is left alone, so that a
/// restart of `holdfast-uplink` loses nothing that fits.
final class TelemetryDrain {
    private let loop: EventLoop
    private var timer: TimerID?
    /// Whether a process has the sockets, and may be reading them.
    var isRead: () -> Bool = { false }
    /// The workers' sockets by name.
    var sockets: () -> [(worker: String, socket: TelemetrySocket)] = { [] }
    var onLost: (_ worker: String, _ datagrams: Int) -> Void = { _, _ in }

    private static let period: Duration = .seconds(1)
    /// Dropped of one socket at a time; more than it holds anywhere by default.
    private static let mostDatagrams = 4096

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// Nobody reads the sockets from now on.
    func start() {
        guard timer == nil else { return }
        timer = loop.schedule(at: loop.now + Self.period) { [weak self] in
            guard let self else { return }
            timer = nil
            drain()
            start()
        }
    }

    func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func drain() {
        guard !isRead() else { return }
        for (worker, socket) in sockets() where socket.isFull {
            let lost = socket.discard(atMost: Self.mostDatagrams)
            if lost > 0 { onLost(worker, lost) }
        }
    }
}
