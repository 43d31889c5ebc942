import ControlProtocol
import LinuxSystem
import MonotonicTime

/// The systemd journal. Lines are entries with SYSLOG_IDENTIFIER= the worker, HOLDFAST_WORKER=, HOLDFAST_PID=,
/// HOLDFAST_RUNTIME= and PRIORITY= from a `<N>` prefix; events carry HOLDFAST_EVENT= and MESSAGE_ID=. Empty lines are
/// left out, as journald leaves them out of a service's output.
final class JournalSink: LogSink {
    private let journal: any JournalWriter
    private let runtime: String
    private let clock: () -> MonotonicInstant
    private var patience = JournalPatience()
    private var entry = JournalEntry()
    private var problem: String?

    init(
        _ journal: any JournalWriter, runtime: String, clock: @escaping () -> MonotonicInstant = MonotonicClock.now
    ) {
        self.journal = journal
        self.runtime = runtime
        self.clock = clock
    }

    func prepare(_ worker: String, _ limits: OutputLimits) {}

    func write(_ batch: LineBatch, at now: MonotonicInstant) -> SinkLoss? {
        var lost = LossCount()
        for line in batch.lines where !line.range.isEmpty {
            batch.bytes[line.range].withUnsafeBytes { fill(batch, $0, line.ending) }
            if !deliver() { lost += LossCount(lines: 1, bytes: line.range.count) }
        }
        return lost.lines == 0 ? nil : SinkLoss(cause: .journal, count: lost, reason: problem)
    }

    func write(_ event: EventReport, at now: MonotonicInstant) -> Bool {
        entry.keep(fields: 0)
        entry.add("MESSAGE", text: event.message)
        entry.add("PRIORITY", number: JournalSink.severity(ofKind: event.kind))
        entry.add("SYSLOG_IDENTIFIER", text: "holdfast")
        entry.add("HOLDFAST_EVENT", text: event.kind)
        if let id = JournalMessageID.id(ofKind: event.kind) { entry.add("MESSAGE_ID", text: id) }
        if let worker = event.worker { entry.add("HOLDFAST_WORKER", text: worker) }
        if let supervisor = event.supervisor { entry.add("HOLDFAST_SUPERVISOR", text: supervisor) }
        entry.add("HOLDFAST_SEQUENCE", number: event.sequence)
        entry.add("HOLDFAST_RUNTIME", text: runtime)
        if !event.details.isEmpty { entry.add("HOLDFAST_DETAILS", JSONValue.object(event.details).serialised()) }
        return deliver()
    }

    /// The supervisor's event about it comes into the same journal.
    func markGap(_ worker: String, _ loss: LossReport, time: Int64, at now: MonotonicInstant) {}

    func close(_ worker: String) {}

    private func fill(_ batch: LineBatch, _ line: UnsafeRawBufferPointer, _ ending: LineSplitter.Ending) {
        let (severity, text) = SeverityPrefix.split(line)
        entry.keep(fields: 0)
        entry.add("MESSAGE", text)
        entry.add("PRIORITY", number: severity)
        entry.add("SYSLOG_IDENTIFIER", text: batch.worker)
        entry.add("HOLDFAST_WORKER", text: batch.worker)
        if let pid = batch.pid { entry.add("HOLDFAST_PID", number: pid) }
        entry.add("HOLDFAST_RUNTIME", text: runtime)
        switch ending {
        case .lineBreak: break
        case .longest: entry.add("HOLDFAST_LINE_BREAK", text: "longest")
        case .flushed: entry.add("HOLDFAST_LINE_BREAK", text: "flushed")
        }
    }

    private func deliver() -> Bool {
        guard patience.mayTry(at: clock()) else { return false }
        while true {
            switch journal.send(entry) {
            case .done:
                patience.succeed()
                problem = nil
                return true
            case .full:
                problem = "journald does not read"
                guard let wait = patience.waitAfterRefusal(at: clock()) else { return false }
                // Too late or not: the next send tells.
                _ = journal.wait(atMost: wait)
            case .failed(let reason):
                problem = reason
                return false
            }
        }
    }

    /// Severities of syslog(3).
    private static func severity(ofKind kind: String) -> Int {
        switch kind {
        case "alert": 2
        case "intensity-exceeded", "group-abandoned": 3
        case "worker-failed", "group-restarted", "output-lost", "events-lost", "notify-refused", "worker-shed",
            "sensor-failed", "probe-failed", "warning":
            4
        case "worker-recovered", "supervisor-retried", "reloaded", "runtime-started", "runtime-adopted",
            "runtime-upgrading", "runtime-stopping", "level-changed", "throttled", "worker-restored",
            "sensor-recovered", "probe-recovered":
            5
        default: 6
        }
    }
}
