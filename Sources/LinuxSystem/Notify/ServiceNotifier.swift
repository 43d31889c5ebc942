import MonotonicTime

/// Tells whoever started this process how it fares: sd_notify(3) messages to NOTIFY_SOCKET. The watchdog's ping, at half
/// its period, is the only timer of an idle process. Without a socket everything here does nothing.
package final class ServiceNotifier {
    private static let retryPause: Duration = .milliseconds(100)

    private let loop: EventLoop
    private let path: String?
    private let watchdogPeriod: Duration?
    /// Opened once: a process that has run out of descriptors is short of something, not hung.
    private let socket: Descriptor?

    /// Called when a ping is due. Whoever wants to prove more than that timers fire sends it himself, with `ping`.
    package var onPingDue: (ServiceNotifier) -> Void = { $0.ping() }

    package init(loop: EventLoop, environment: ServiceEnvironment) throws(SystemError) {
        self.loop = loop
        path = environment.notifySocket
        watchdogPeriod = environment.watchdogPeriod
        socket = path == nil ? nil : try UnixDatagramSocket.makeUnbound()
    }

    /// Whether anybody listens.
    package var isWanted: Bool { path != nil }

    /// Says READY=1, with further assignments, until it is heard; from then on pings are due.
    package func start(_ assignments: [String] = []) {
        guard isWanted else { return }
        guard send(["READY=1"] + assignments) else {
            loop.schedule(at: loop.now.advanced(by: ServiceNotifier.retryPause)) { [weak self] in
                self?.start(assignments)
            }
            return
        }
        tick()
    }

    package func ping() {
        send(["WATCHDOG=1"])
    }

    /// Sends assignments ("KEY=value") as one message.
    /// - Returns: whether the message is delivered, or never can be; false when it is worth another try.
    @discardableResult
    package func send(_ assignments: [String], descriptors: [Int32] = []) -> Bool {
        guard let path else { return true }
        let message = Array(assignments.joined(separator: "\n").utf8)
        do throws(SystemError) {
            if case .done = try deliver(message, descriptors, to: path) { return true }
            return false
        } catch {
            return !error.isTransient
        }
    }

    private func deliver(
        _ message: [UInt8], _ descriptors: [Int32], to path: String
    ) throws(SystemError) -> IOResult<Int> {
        switch socket {
        case .some(let socket): try SystemCall.send(socket.rawValue, message, descriptors: descriptors, to: path)
        case .none: .done(0)
        }
    }

    private func tick() {
        guard let watchdogPeriod else { return }
        onPingDue(self)
        loop.schedule(at: loop.now.advanced(by: watchdogPeriod / 2)) { [weak self] in self?.tick() }
    }
}
