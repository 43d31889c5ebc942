import LinuxSystem
import MonotonicTime

/// The runtime as a service of systemd (sd_notify(3)): that it is ready, alive, reloading, stopping, and how its workers
/// fare. Without a service manager everything here does nothing.
///
/// The watchdog's ping is decided on at the end of a turn of the loop: every descriptor that was ready had its handler
/// run, the due timers fired, and the tree's own deadline is not overdue. A loop that is stuck in a handler, or turns
/// without getting on, says nothing.
final class ServiceManagerLink {
    /// How often STATUS= may change: so many times at once, then once in that time. What was held back goes with the next
    /// wake-up, the watchdog's at the latest.
    private static let statusBurst = 8
    private static let statusPause: Duration = .seconds(1)
    /// What a stop asks for at a time, beyond TimeoutStopSec=. A runtime that hangs in its stop is killed after that.
    private static let stopExtension: Duration = .seconds(20)

    private let loop: EventLoop
    private let notifier: ServiceNotifier
    private let longestDelay: Duration
    let store: DescriptorStore
    private var isPingDue = false
    private var isStatusStale = false
    private var lastStatus = ""
    /// When all of `statusBurst` will be there again.
    private var statusFullAt: MonotonicInstant
    private var stopEnd: MonotonicInstant?

    /// One line on how everything is.
    var summary: () -> String = { "" }
    /// When the tree wants to be asked next.
    var treeDeadline: () -> MonotonicInstant? = { nil }

    init(loop: EventLoop, environment: ServiceEnvironment) throws(SystemError) {
        self.loop = loop
        statusFullAt = loop.now
        notifier = try ServiceNotifier(loop: loop, environment: environment)
        store = DescriptorStore(loop: loop, notifier: notifier)
        longestDelay = (environment.watchdogPeriod ?? .zero) / 2
        notifier.onPingDue = { [weak self] _ in self?.isPingDue = true }
    }

    /// The control socket answers and the first workers are being started.
    func started() {
        notifier.start(takeStatus())
    }

    /// Something has happened that the status line may tell.
    func stateChanged() {
        isStatusStale = true
    }

    /// The configuration is being read. `reloaded` follows in any case.
    func reloading() {
        // What Type=notify-reload wants as well (systemd 253 and later).
        notifier.send(["RELOADING=1", "MONOTONIC_USEC=\(MonotonicClock.now().nanoseconds / 1000)"])
    }

    func reloaded() {
        notifier.send(["READY=1"] + takeStatus())
    }

    /// The stop has begun.
    /// - Parameter longest: what it may take by the workers' stop plans.
    func stopping(atMost longest: Duration) {
        stopEnd = loop.now + longest
        notifier.send(["STOPPING=1"] + takeStatus())
        extendStop()
    }

    /// Last in a turn of the loop.
    func turnEnded() {
        if isPingDue, !isOverdue {
            isPingDue = false
            notifier.ping()
        }
        guard notifier.isWanted, isStatusStale, mayChangeStatus else { return }
        let status = takeStatus()
        if !status.isEmpty { notifier.send(status) }
    }

    private var isOverdue: Bool {
        guard let deadline = treeDeadline() else { return false }
        return deadline + longestDelay < loop.now
    }

    private var mayChangeStatus: Bool {
        statusFullAt <= loop.now + Self.statusPause * (Self.statusBurst - 1)
    }

    /// The assignment, if there is anything new to say.
    private func takeStatus() -> [String] {
        guard notifier.isWanted else { return [] }
        isStatusStale = false
        let status = summary()
        guard status != lastStatus else { return [] }
        lastStatus = status
        statusFullAt = max(statusFullAt, loop.now) + Self.statusPause
        return ["STATUS=\(status)"]
    }

    /// The time that a stop takes is the sum of what the configuration grants; systemd cannot know it, and is asked for
    /// more as long as this loop turns and that time has not passed. systemd's watchdog no longer watches by then.
    private func extendStop() {
        guard notifier.isWanted, let stopEnd, loop.now < stopEnd else { return }
        notifier.send(["EXTEND_TIMEOUT_USEC=\(Self.stopExtension.wholeNanoseconds / 1000)"])
        loop.schedule(at: loop.now + Self.stopExtension / 4) { [weak self] in self?.extendStop() }
    }
}
