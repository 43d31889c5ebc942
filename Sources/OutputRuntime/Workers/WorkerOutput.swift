import LinuxSystem
import MonotonicTime

/// One worker's FIFO and what is known of its output.
final class WorkerOutput {
    let name: String
    /// Changed by `replace(fifo:limits:at:)` only.
    private(set) var limits: OutputLimits
    private(set) var fifo: SharedDescriptor
    /// The process whose output is read now, as far as holdfastd has said.
    var pid: Int?
    /// Its number in the tail.
    private(set) var process: UInt32 = 0
    /// The instances whose output began lately, oldest first, with their numbers in the tail.
    private var instances: [(instance: UInt64, process: UInt32)] = []
    private static let knownInstances = 16
    var splitter = LineSplitter()
    var limiter: RateLimiter
    var tail = TailRing()
    /// What was lost since the last report.
    var losses = LossAccount()
    /// What failed to reach the followers since their last line.
    var skippedLines = 0
    var followers: [LogClient] = []
    /// What takes those of its lines that are telemetry.
    var telemetry: TelemetryOutlet?
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

    /// Where telemetry in its output goes; `nil` to log it like everything else.
    func takeTelemetry(to socket: SharedDescriptor?) {
        telemetry = socket.map { TelemetryOutlet(socket: $0) }
    }

    /// The instance whose output is read now.
    var instance: UInt64? { instances.last?.instance }

    func hasBegun(_ instance: UInt64) -> Bool {
        instances.contains { $0.instance == instance }
    }

    /// What follows is of another process.
    func begin(_ instance: UInt64) {
        process &+= 1
        pid = nil
        instances = instances.suffix(Self.knownInstances - 1) + [(instance, process)]
    }

    /// The numbers in the tail that an instance's lines have. Of one that was there before this process, or is forgotten,
    /// nobody knows where its lines begin: only that they end where the next one's do begin.
    func processes(of instance: UInt64) -> ClosedRange<UInt32> {
        if let known = instances.last(where: { $0.instance == instance }) { return known.process...known.process }
        guard let next = instances.first(where: { $0.instance > instance }) else { return 0 ... .max }
        return 0...(next.process - 1)
    }

    /// Whether a name can be a file's: what holdfastd's configuration allows, checked again before it becomes a path.
    static func isValid(name: String) -> Bool {
        name != FileSink.eventFileName && (1...128).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 > 0x20 && $0 != 0x7f }
    }
}
