package import MonotonicTime

/// What is asked of central and when: one request of each kind at a time, events before readings, and a wait after whatever
/// goes wrong. The shell performs its actions and tells it what has come of them.
package struct LinkMachine: Sendable {
    /// How the device stands with central.
    package enum Stage: Equatable, Sendable {
        /// There is nobody to talk to.
        case idle
        /// It has a token.
        case enrolling
        case enrolled
    }

    package enum Request: CaseIterable, Hashable, Sendable {
        case enrolment, heartbeat, commands, telemetry
    }

    package enum Queue: CaseIterable, Hashable, Sendable {
        case events, readings
    }

    package enum Event: Equatable, Sendable {
        case stageChanged(Stage)
        /// Records up to this number may be delivered.
        case available(Queue, through: UInt64)
        /// Facts or labels have changed.
        case heartbeatWanted
        /// What the answer to a heartbeat says.
        case instructed(heartbeat: Duration, drainBytesPerSecond: Int, hasCommands: Bool)
        /// Commands are being carried out; no others are asked for.
        case commandsTaken
        case commandsDone
        /// A request without a batch has ended.
        case finished(Request, Outcome)
        /// A request for commands has ended without one. - wait: for which it was asked to wait.
        case nothingCame(wait: Duration)
        /// A batch is on its way. - compressed: its bytes. - isOld: it was written a while ago.
        case batchSent(Queue, QueueProgress.Batch, compressed: Int, isOld: Bool)
        /// What was to be sent is not there (the disk fails).
        case batchUnavailable(Queue)
        case batchAcknowledged(Queue, through: UInt64)
        case batchRedirected(Queue, acknowledged: UInt64)
        case batchUnreadable(Queue, UInt64?)
        case batchTooLarge(Queue)
        case batchFailed(Queue, Outcome)
        /// The time of `deadline` has come. Early or superfluous calls are harmless.
        case deadlineReached
    }

    package enum Action: Equatable, Sendable {
        case begin(Request)
        /// To be answered with `batchSent` or `batchUnavailable` at once.
        case send(Queue, QueueProgress.Plan)
        case acknowledge(Queue, through: UInt64)
        /// Central will not take this record.
        case giveUp(Queue, UInt64)
        case reportFork(Queue, central: UInt64)
        case connected
        case disconnected
    }

    /// Until central says otherwise.
    private static let firstHeartbeat: Duration = .seconds(900)
    private static let shortestHeartbeat: Duration = .seconds(5)
    /// A request for commands that ends without one before this time has not been let wait.
    private static let patience: Duration = .seconds(20)
    /// After an outage readings wait for a random part of it.
    private static let spread: Duration = .seconds(30)

    package private(set) var stage = Stage.idle
    package private(set) var breaker = CircuitBreaker()
    package private(set) var isConnected = false
    private(set) var queues: [Queue: QueueProgress]
    private var schedules: [Request: RetrySchedule] = [:]
    private var began: [Request: MonotonicInstant] = [:]
    private var heartbeatDue = MonotonicInstant.zero
    private var heartbeatPeriod = LinkMachine.firstHeartbeat
    private var isHeartbeatWanted = false
    private var areCommandsTaken = false
    private var drain = DrainLimit()
    private var readingsNotBefore: MonotonicInstant?
    /// Central has refused the device.
    private var isUnwanted = false
    /// Requests for commands in a row that were answered at once, with nothing.
    private var hasty = 0

    /// - Parameter queues: how far each spool is.
    package init(events: QueueProgress, readings: QueueProgress) {
        queues = [.events: events, .readings: readings]
    }

    package func progress(of queue: Queue) -> QueueProgress { queues[queue] ?? QueueProgress() }

    /// When it wants `deadlineReached`.
    package func deadline(after now: MonotonicInstant) -> MonotonicInstant? {
        let wanted = Request.allCases.compactMap { earliest($0, at: now) }.min()
        guard let wanted else { return nil }
        switch breaker.state {
        case .open(_, let until): return max(wanted, until)
        case .halfOpen(_, isProbing: true): return nil
        case .closed, .halfOpen(_, isProbing: false): return wanted
        }
    }

    /// When the request that is tried next is tried; `nil` while one is under way or nothing is wanted.
    package func nextAttempt(after now: MonotonicInstant) -> MonotonicInstant? {
        stage == .idle ? nil : deadline(after: now)
    }

    package mutating func handle(
        _ event: Event, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        var actions = digest(event, at: now, using: &random)
        for _ in breaker.handle(.deadlineReached, at: now, using: &random) {}
        while let request = next(at: now) {
            began[request] = now
            _ = breaker.handle(.requestBegan, at: now, using: &random)
            switch request {
            case .telemetry:
                guard let (queue, plan) = batch(at: now) else { break }
                actions.append(.send(queue, plan))
            case .heartbeat:
                isHeartbeatWanted = false
                heartbeatDue = now + heartbeatPeriod
                actions.append(.begin(.heartbeat))
            case .enrolment, .commands: actions.append(.begin(request))
            }
        }
        return actions
    }

    // MARK: What has happened

    private mutating func digest(
        _ event: Event, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        switch event {
        case .stageChanged(let stage):
            guard self.stage != stage else { return [] }
            self.stage = stage
            // What was under way concerns nobody any more.
            (schedules, began, isUnwanted) = ([:], [:], false)
            for queue in Queue.allCases { queues[queue]?.withdraw() }
            heartbeatDue = now
            if stage != .enrolled, isConnected {
                isConnected = false
                return [.disconnected]
            }
            return []
        case .available(let queue, let through):
            return progress(queue, .available(through: through), at: now, using: &random)
        case .heartbeatWanted:
            isHeartbeatWanted = true
            return []
        case .instructed(let heartbeat, let bytesPerSecond, let hasCommands):
            instruct(heartbeat, bytesPerSecond, hasCommands, at: now)
            return []
        case .commandsTaken:
            areCommandsTaken = true
            return []
        case .commandsDone:
            areCommandsTaken = false
            return []
        case .finished(let request, let outcome):
            return finish(request, outcome, at: now, using: &random)
        case .nothingCame(let wait):
            return nothingCame(after: wait, at: now, using: &random)
        case .batchSent(let queue, let batch, let compressed, let isOld):
            if isOld, queue == .readings { drain.sent(compressed, at: now) }
            return progress(queue, .sent(batch), at: now, using: &random)
        case .batchUnavailable:
            // Not central's fault.
            began[.telemetry] = nil
            schedules[.telemetry, default: RetrySchedule()].handle(.failed, at: now, using: &random)
            return []
        case .batchAcknowledged(let queue, let through):
            let took = began[.telemetry].map { $0.duration(to: now) } ?? .zero
            return progress(queue, .acknowledged(through: through, took: took), at: now, using: &random)
        case .batchRedirected(let queue, let acknowledged):
            return progress(queue, .sequence(acknowledged: acknowledged), at: now, using: &random)
        case .batchUnreadable(let queue, let sequence):
            return progress(queue, .unreadable(sequence), at: now, using: &random)
        case .batchTooLarge(let queue):
            return progress(queue, .tooLarge, at: now, using: &random)
        case .batchFailed(let queue, let outcome):
            // Nothing says that a smaller one would have come through, unless none did.
            if outcome == .failed {
                _ = progress(queue, .failed, at: now, using: &random)
            } else {
                queues[queue]?.withdraw()
            }
            return finish(.telemetry, outcome, at: now, using: &random)
        case .deadlineReached:
            return []
        }
    }

    private mutating func instruct(
        _ heartbeat: Duration, _ bytesPerSecond: Int, _ hasCommands: Bool, at now: MonotonicInstant
    ) {
        heartbeatPeriod = max(heartbeat, Self.shortestHeartbeat)
        heartbeatDue = min(heartbeatDue, now + heartbeatPeriod)
        if heartbeatDue <= now { heartbeatDue = now + heartbeatPeriod }
        drain.bytesPerSecond = bytesPerSecond
        if hasCommands { schedules[.commands]?.forgive() }
    }

    private mutating func nothingCame(
        after wait: Duration, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        let waited = began[.commands].map { $0.duration(to: now) } ?? .zero
        let actions = finish(.commands, .succeeded, at: now, using: &random)
        // Something between here and central lets no request wait: asking at once again would be a tight loop.
        if waited < min(wait * 0.5, Self.patience) {
            hasty += 1
            schedules[.commands, default: RetrySchedule()].back(off: hasty, at: now, using: &random)
        } else {
            hasty = 0
        }
        return actions
    }

    private mutating func progress(
        _ queue: Queue, _ event: QueueProgress.Event, at now: MonotonicInstant,
        using random: inout some RandomNumberGenerator
    ) -> [Action] {
        var actions: [Action] = []
        for action in queues[queue]?.handle(event) ?? [] {
            switch action {
            case .acknowledge(let through): actions.append(.acknowledge(queue, through: through))
            case .giveUp(let sequence): actions.append(.giveUp(queue, sequence))
            case .reportFork(let central): actions.append(.reportFork(queue, central: central))
            case .goOn: actions += finish(.telemetry, .succeeded, at: now, using: &random)
            case .fail: actions += finish(.telemetry, .failed, at: now, using: &random)
            }
        }
        return actions
    }

    private mutating func finish(
        _ request: Request, _ outcome: Outcome, at now: MonotonicInstant,
        using random: inout some RandomNumberGenerator
    ) -> [Action] {
        guard let began = began.removeValue(forKey: request) else { return [] }
        schedules[request, default: RetrySchedule()].handle(outcome, at: now, using: &random)
        // What did not come through is due again.
        if request == .heartbeat, outcome != .succeeded { heartbeatDue = now }
        var actions: [Action] = []
        let event: CircuitBreaker.Event = outcome == .failed ? .failed(began: began) : .answered
        for change in breaker.handle(event, at: now, using: &random) {
            switch change {
            case .opened:
                if isConnected { actions.append(.disconnected) }
                isConnected = false
                heartbeatDue = now
            case .closed:
                for request in Request.allCases { schedules[request]?.forgive() }
                readingsNotBefore = now + Self.spread * Double.random(in: 0..<1, using: &random)
            }
        }
        if outcome == .unwanted { actions += hold(at: now) }
        if outcome == .succeeded, isUnwanted {
            isUnwanted = false
            schedules = [:]
        }
        if outcome == .succeeded, stage == .enrolled, !isConnected, breaker.isClosed {
            isConnected = true
            actions.append(.connected)
        }
        return actions
    }

    /// Central does not want the device: whatever it asks is refused, and one kind is enough to learn of a change.
    private mutating func hold(at now: MonotonicInstant) -> [Action] {
        for request in [Request.commands, .telemetry] {
            schedules[request, default: RetrySchedule()].hold(until: now + Backoff.afterRefusal + .seconds(1))
        }
        schedules[.heartbeat, default: RetrySchedule()].hold(until: now + Backoff.afterRefusal)
        heartbeatDue = now
        isUnwanted = true
        guard isConnected else { return [] }
        isConnected = false
        return [.disconnected]
    }

    // MARK: What comes next

    private func next(at now: MonotonicInstant) -> Request? {
        guard breaker.letsThrough else { return nil }
        return Request.allCases.first { request in earliest(request, at: now).map { $0 <= now } ?? false }
    }

    /// When a request may begin; `nil` when it is not wanted.
    private func earliest(_ request: Request, at now: MonotonicInstant) -> MonotonicInstant? {
        guard began[request] == nil, let due = due(request, at: now) else { return nil }
        return max(due, schedules[request]?.notBefore ?? due)
    }

    private func due(_ request: Request, at now: MonotonicInstant) -> MonotonicInstant? {
        switch (request, stage) {
        case (.enrolment, .enrolling): return now
        case (.heartbeat, .enrolled): return isHeartbeatWanted ? now : heartbeatDue
        case (.commands, .enrolled): return areCommandsTaken ? nil : now
        case (.telemetry, .enrolled):
            if progress(of: .events).plan != nil { return now }
            return progress(of: .readings).plan == nil ? nil : max(now, readingsDue ?? now)
        case (.enrolment, _), (.heartbeat, _), (.commands, _), (.telemetry, _): return nil
        }
    }

    private var readingsDue: MonotonicInstant? {
        switch (readingsNotBefore, drain.notBefore) {
        case (let first?, let second?): max(first, second)
        case (let only?, nil), (nil, let only?): only
        case (nil, nil): nil
        }
    }

    private func batch(at now: MonotonicInstant) -> (Queue, QueueProgress.Plan)? {
        if let plan = progress(of: .events).plan { return (.events, plan) }
        if let readingsDue, readingsDue > now { return nil }
        return progress(of: .readings).plan.map { (.readings, $0) }
    }
}
