import LinuxSystem
import MonotonicTime

/// One worker's FIFO and what is known of its output.
final class WorkerOutput {
    let name: String
    /// Changed by `replace(fifo:limits:at:)` only.
    private(set) var limits: OutputLimits
    private(set) var fifo: SharedDescriptor
    /// The process that writes now, as far as holdfastd has said.
    var pid: Int?
    var splitter = LineSplitter()
    var limiter: RateLimiter
    var tail = TailRing()
    /// What was lost since the last report.
    var losses = LossAccount()
    /// What failed to reach the followers since their last line.
    var skippedLines = 0
    var followers: [LogClient] = []
    /// While the loop watches the FIFO.
    var registration: EventLoop.Registration?
    /// While the FIFO is left alone for a moment, since the worker is over its limit.
    var resumption: TimerID?

    init(name: String, fifo: SharedDescriptor, limits: OutputLimits, at now: MonotonicInstant) {
        self.name = name
        self.fifo = fifo
        self.limits = limits
        limiter = RateLimiter(rate: limits.rate, burst: limits.burst, at: now)
    }

    /// Another FIFO, or other limits. The old FIFO is closed: drain and unwatch it before.
    func replace(fifo: SharedDescriptor, limits: OutputLimits, at now: MonotonicInstant) {
        self.fifo = fifo
        self.limits = limits
        limiter.adjust(rate: limits.rate, burst: limits.burst, at: now)
    }

    /// Whether a name can be a file's: what holdfastd's configuration allows, checked again before it becomes a path.
    static func isValid(name: String) -> Bool {
        name != FileSink.eventFileName && (1...128).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 > 0x20 && $0 != 0x7f }
    }
}
