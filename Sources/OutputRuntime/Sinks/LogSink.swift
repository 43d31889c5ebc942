import ControlProtocol
import MonotonicTime

/// Where lines and events are kept. A sink never waits long, and never throws: what it could not keep it says, so that
/// it is counted.
protocol LogSink: AnyObject {
    /// Takes a worker's limits, before its first line and whenever they change.
    func prepare(_ worker: String, _ limits: OutputLimits)

    /// Keeps the lines of one turn; answers what was lost of them.
    func write(_ batch: LineBatch, at now: MonotonicInstant) -> SinkLoss?

    /// Keeps one event; answers whether it could.
    func write(_ event: EventReport, at now: MonotonicInstant) -> Bool

    /// Marks a gap in a worker's log, where a reader would not learn of it otherwise.
    func markGap(_ worker: String, _ loss: LossReport, time: Int64, at now: MonotonicInstant)

    /// Forgets a worker.
    func close(_ worker: String)
}

/// What a sink could not keep.
struct SinkLoss: Equatable {
    var cause: LossCause
    var count: LossCount
    /// In the system's words.
    var reason: String?
}

/// How much of one worker's output is kept.
struct OutputLimits: Equatable {
    /// Bytes per second; 0 for no limit.
    var rate: Int
    var burst: Int
    /// Of the current file, and of each rotated one.
    var maximumFileBytes: Int
    /// How many rotated files are kept beside the current one.
    var rotatedFiles: Int
}

/// Keeps nothing: neither a journal nor a log directory is there. The tails and followers work all the same.
final class NoSink: LogSink {
    func prepare(_ worker: String, _ limits: OutputLimits) {}

    func write(_ batch: LineBatch, at now: MonotonicInstant) -> SinkLoss? {
        SinkLoss(cause: .noLog, count: batch.loss(from: 0))
    }

    func write(_ event: EventReport, at now: MonotonicInstant) -> Bool { false }
    func markGap(_ worker: String, _ loss: LossReport, time: Int64, at now: MonotonicInstant) {}
    func close(_ worker: String) {}
}
