import LinuxSystem
import MonotonicTime
import UplinkProtocol

/// One worker's socket, and what is known of the worker.
final class IntakeWorker {
    let name: String
    private(set) var socket: SharedDescriptor
    var limiter: TokenBucket
    /// While the loop watches the socket.
    var registration: EventLoop.Registration?
    /// While the socket is left alone for a moment, since the worker is over its limit.
    var resumption: TimerID?

    init(name: String, socket: SharedDescriptor, _ limits: TelemetryLimits, at now: MonotonicInstant) {
        self.name = name
        self.socket = socket
        limiter = TokenBucket(rate: limits.rate, at: now)
    }

    /// Another socket, or other limits. Unwatch the old socket before.
    func replace(_ socket: SharedDescriptor, _ limits: TelemetryLimits) {
        self.socket = socket
        limiter.adjust(rate: limits.rate)
    }
}
