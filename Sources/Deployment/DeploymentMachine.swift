package import MonotonicTime

/// How one bundle gets from one version to another, and back when the new one is no good. Decides alone, without central; the
/// shell performs its actions in their order and tells it what has come of them.
///
/// What holds at every instant: what is current is a version that was complete and verified when it became current. A
/// version counts as good only after its probation. Nobody is told of a success before it is on disk.
package struct DeploymentMachine: Sendable {
    struct Running: Sendable {
        var step: Step
        var token: Int
        var deadline: MonotonicInstant
    }

    /// The latest deployment, which may have ended.
    package internal(set) var record: DeploymentRecord? {
        didSet {
            guard let oldValue, oldValue.id != record?.id else { return }
            history.noteEnd(oldValue.state.isEnd ? oldValue.end : Self.superseded(oldValue.id))
        }
    }
    package internal(set) var history = VersionHistory()
    /// As the disk has it.
    package private(set) var current: BundleVersion?
    /// What is under way.
    var running: Running?
    var observation: Observation?
    /// Waits until what is current has stopped changing.
    var next: DeploymentRequest?
    var downloadWithin: Duration = .seconds(3600)
    /// What came after the last `persist`.
    var afterPersist: [Action] = []
    /// When what failed is tried again.
    var retryAt: MonotonicInstant?
    var retries = 0
    /// As it was before a commit that is not on disk yet.
    var beforeCommit: (history: VersionHistory, observation: Observation?)?
    /// When to see what there is to do after an end: at once, but in a turn of its own, for the end has to be on disk first.
    var followUpAt: MonotonicInstant?
    /// Wanted while nothing could be taken back yet.
    var isCancelled = false
    private var lastToken = 0

    /// How often a version is begun to be observed before it counts as what takes the machine down.
    package static let mostAttempts = 3
    /// Versions kept for going back, beside the current one.
    package static let keptGood = 2
    static let diskStepWithin: Duration = .seconds(1800)
    static let switchWithin: Duration = .seconds(120)
    static let retryAfter: Duration = .seconds(5)
    static let mostRetries = 5

    package init() {}

    /// When it wants `deadlineReached`.
    package var deadline: MonotonicInstant? {
        // While something is to be tried again, that comes first.
        [running?.deadline, retryAt, followUpAt, retryAt == nil ? observation?.deadline : nil].compactMap(\.self).min()
    }

    /// When what is under way counts as failed.
    package var stepDeadline: MonotonicInstant? { running?.deadline }

    /// Versions that must not go from the disk.
    package var kept: Set<BundleVersion> {
        var kept = Set(history.good.prefix(Self.keptGood + 1).map(\.version))
        if let current { kept.insert(current) }
        if let record, !record.state.isEnd {
            kept.insert(record.target)
            if let refuge = record.refuge { kept.insert(refuge) }
        } else if let record, record.reason?.code == .interrupted {
            // It is likely to be asked for again.
            kept.insert(record.target)
        }
        return kept
    }

    static func superseded(_ id: String) -> DeploymentEnd {
        DeploymentEnd(id: id, .failed, DeploymentReason(.superseded, "something newer was asked for"))
    }

    var isIdle: Bool { record?.state.isEnd ?? true }

    /// - Parameter current: what is current on disk at this moment; after a switch that failed nobody can know it otherwise.
    package mutating func handle(
        _ event: Event, current: BundleVersion?, at now: MonotonicInstant
    ) -> [Action] {
        self.current = current
        switch event {
        case .recovered(let record, let history, let intact): return recover(record, history, intact, now)
        case .requested(let request): return take(request, now)
        case .cancelled(let id): return cancel(id, now)
        case .finished(let token, let end):
            guard let running, running.token == token else { return [] }
            self.running = nil
            return finish(running.step, end, now)
        case .persistFailed(let text): return persistFailed(text, now)
        case .healthChanged(let health): return note(health, now)
        case .crashLooped(let text): return crashLooped(text, now)
        case .deadlineReached: return look(now)
        }
    }

    // MARK: Parts of answers

    mutating func perform(_ step: Step, _ now: MonotonicInstant) -> Action {
        lastToken += 1
        let within =
            switch step {
            case .download: downloadWithin
            case .verify, .unpack, .checkTree: Self.diskStepWithin
            case .switchTo, .apply: Self.switchWithin
            case .selfTest: record?.terms?.selfTestWithin ?? Self.switchWithin
            }
        running = Running(step: step, token: lastToken, deadline: now + within)
        return .perform(step, token: lastToken)
    }

    mutating func abandonStep() -> [Action] {
        guard let running else { return [] }
        self.running = nil
        return [.abandon(token: running.token)]
    }

    mutating func endObservation() -> [Action] {
        guard observation != nil else { return [] }
        observation = nil
        return [.endObservation]
    }

    /// Writes the record down, then does the rest. At most once an event.
    mutating func persisted(_ record: DeploymentRecord, _ rest: [Action]) -> [Action] {
        self.record = record
        afterPersist = rest
        return [.persist(record, history)] + rest
    }

    func report(_ record: DeploymentRecord) -> Action { .report(id: record.id, record.state, record.reason) }

    // MARK: Time

    private mutating func look(_ now: MonotonicInstant) -> [Action] {
        if let running, running.deadline <= now {
            let abandoned = abandonStep()
            return abandoned + finish(running.step, .failed("it took too long"), now)
        }
        if let followUpAt, followUpAt <= now {
            self.followUpAt = nil
            return followUp(now)
        }
        if let retryAt, retryAt <= now {
            self.retryAt = nil
            return tryAgain(now)
        }
        return observationDue(now)
    }
}
