import LinuxSystem
import MonotonicTime
import Supervision

/// Runs the pure supervisor tree on the event loop: events in, actions performed in order, one timer for its deadline.
/// Main thread only.
final class TreeDriver {
    private(set) var tree: SupervisorTree
    private let loop: EventLoop
    /// Performs an action. May call `deliver` for what it learns at once (a spawn that failed, a group that is empty).
    private let perform: (Action) -> Void
    private let record: (Report) -> Void
    private var pending: [Event] = []
    /// What the tree reported in this wake-up.
    private var reports: [Report] = []
    private var isDelivering = false
    /// Whether the actions that are being performed start more processes.
    private(set) var hasMoreSpawns = false
    private var timer: TimerID?
    /// What the timer is set to.
    private(set) var timerDeadline: MonotonicInstant?

    init(
        _ tree: SupervisorTree, loop: EventLoop, perform: @escaping (Action) -> Void, record: @escaping (Report) -> Void
    ) {
        self.tree = tree
        self.loop = loop
        self.perform = perform
        self.record = record
    }

    /// Lets the tree handle an event, and every event that follows from its actions, before it returns. An event that
    /// arises while actions are performed waits until they all are, so that the tree sees one thing after another.
    func deliver(_ event: Event) {
        pending.append(event)
        guard !isDelivering else { return }
        isDelivering = true
        var next = 0
        while next < pending.count {
            let actions = tree.handle(pending[next], at: loop.now)
            let lastSpawn = actions.lastIndex { if case .spawn = $0 { true } else { false } } ?? -1
            for (index, action) in actions.enumerated() {
                hasMoreSpawns = index < lastSpawn
                if case .report(let report) = action { reports.append(report) } else { perform(action) }
            }
            next += 1
        }
        pending.removeAll(keepingCapacity: true)
        isDelivering = false
    }

    /// What has to be recorded for the next supervisor.
    func takeChanges() -> TreeChanges { tree.takeChanges() }

    /// Hands on what the tree reported. Last in a wake-up: a replacement is on its way before anything is written about it.
    func recordReports() {
        guard !reports.isEmpty else { return }
        let reports = reports
        self.reports = []
        for report in reports { record(report) }
    }

    /// Sets the timer to the tree's deadline. Called once per wake-up rather than once per event: finding the deadline
    /// is linear in the size of the tree, and a thousand workers may die in one wake-up.
    func rearm() {
        let deadline = tree.nextDeadline
        guard deadline != timerDeadline else { return }
        if let timer { loop.cancel(timer) }
        timerDeadline = deadline
        timer = deadline.map { deadline in
            loop.schedule(at: deadline) { [unowned self] in
                timer = nil
                timerDeadline = nil
                deliver(.deadlineReached)
            }
        }
    }

    var status: TreeStatus { tree.status(at: loop.now) }
}
