import ControlProtocol
import MonotonicTime

/// A deployment that somebody has asked for, or that the keeper has told of: under way, or kept with its end.
final class DeploymentRecord {
    let id: String
    /// `nil` while only the keeper knows it: one from before the start of the runtime, or one of its own.
    var order: DeploymentOrder?
    private(set) var latest: DeploymentReport?
    /// How often a keeper has died over it.
    private(set) var interruptions = 0
    /// It is to end; said to each keeper that does not know it yet.
    var isCancelled = false
    /// When an event told of it.
    private var lastEvent: MonotonicInstant?
    private var listeners = ReplyListeners()

    /// Between two events that tell of nothing but progress.
    private static let progressPause: Duration = .seconds(1)

    var hasEnded: Bool { latest?.state.isEnd ?? false }

    /// Its keeper died over it, and nothing that runs was changed: the same order is begun anew.
    var isInterrupted: Bool { hasEnded && latest?.code == DeploymentReport.interrupted }

    /// More often than this an order is not given to the next keeper by itself: it may be what they die of.
    private static let mostInterruptions = 3

    init(id: String, _ order: DeploymentOrder? = nil) {
        self.id = id
        self.order = order
    }

    /// Tells a client how it stands, and the rest as it comes.
    func attach(_ connection: ControlConnection) {
        guard let latest else { return listeners.add(connection) }
        guard !latest.state.isEnd else { return connection.send(VarlinkReply(latest)) }
        listeners.add(connection)
        connection.send(VarlinkReply(latest, continues: true))
    }

    /// Somebody asks anew for what was interrupted.
    func beginAnew(_ order: DeploymentOrder) {
        self.order = order
        latest = nil
        (isCancelled, interruptions) = (false, 0)
    }

    /// Whether an end that the next keeper tells is none: the order is on its way to it.
    func goesOn(after report: DeploymentReport) -> Bool {
        guard report.state.isEnd, report.code == DeploymentReport.interrupted, order != nil, !isCancelled,
            interruptions < Self.mostInterruptions
        else { return false }
        interruptions += 1
        return true
    }

    /// Says how it stands now.
    /// - Returns: whether that is worth an event.
    func tell(_ report: DeploymentReport, at now: MonotonicInstant) -> Bool {
        let former = latest
        latest = report
        listeners.send(VarlinkReply(report, continues: !report.state.isEnd))
        guard report != former else { return false }
        let isProgress = report.state == former?.state && report.code == former?.code
        if isProgress, let lastEvent, lastEvent.duration(to: now) < Self.progressPause { return false }
        lastEvent = now
        return true
    }

    /// Nobody will tell how it goes on.
    func abandon(_ error: RuntimeError) { listeners.send(error.reply) }
}
