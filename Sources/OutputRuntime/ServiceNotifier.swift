import LinuxSystem
import MonotonicTime

/// Tells holdfastd that this process is ready and alive, like any other worker: sd_notify(3) messages to NOTIFY_SOCKET.
/// The watchdog's ping, at half its period, is the only timer of an idle process.
final class ServiceNotifier {
    private static let retryPause: Duration = .milliseconds(100)

    private let loop: EventLoop
    private let path: String?
    private let watchdogPeriod: Duration?

    /// - Parameters:
    ///   - path: NOTIFY_SOCKET; `nil` when nobody wants to know.
    ///   - watchdogMicroseconds: WATCHDOG_USEC.
    init(loop: EventLoop, path: String?, watchdogMicroseconds: Int64?) {
        self.loop = loop
        self.path = path
        watchdogPeriod = watchdogMicroseconds.flatMap { $0 > 0 ? .microseconds($0) : nil }
    }

    /// Says READY=1, until it is heard, and pings from then on.
    func start() {
        guard path != nil else { return }
        guard send("READY=1") else {
            loop.schedule(at: loop.now.advanced(by: ServiceNotifier.retryPause)) { [weak self] in self?.start() }
            return
        }
        ping()
    }

    func stopping() {
        _ = send("STOPPING=1")
    }

    private func ping() {
        guard let watchdogPeriod else { return }
        _ = send("WATCHDOG=1")
        loop.schedule(at: loop.now.advanced(by: watchdogPeriod / 2)) { [weak self] in self?.ping() }
    }

    /// Whether the message is delivered, or never can be.
    private func send(_ message: String) -> Bool {
        guard let path else { return true }
        guard let result = try? UnixDatagramSocket.send(Array(message.utf8), to: path) else { return true }
        if case .done = result { return true }
        return false
    }
}
