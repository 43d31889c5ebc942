/// What becomes of a deployment to a fleet: how many devices may begin now, when it halts, and when it is over.
///
/// It knows how many devices stand where; who they are, and in which order they come, is the store's. Nothing in it
/// depends on what was decided before but `state` and `forgiven`, so it goes on after a restart with what was stored.
package struct Rollout: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        case running
        /// By an operator: who has begun goes on, nobody else begins.
        case paused
        /// By itself, because more have failed than may; otherwise like `paused`.
        case halted
        /// By an operator, for good. Who has begun goes on.
        case cancelled
        /// Every device has come to an end.
        case finished

        package var isTerminal: Bool {
            switch self {
            case .running, .paused, .halted: false
            case .cancelled, .finished: true
            }
        }
    }

    package struct Limits: Equatable, Sendable {
        /// Devices that have begun and not ended, at once.
        package var parallel: Int
        /// With more failures than that it halts.
        package var failures: Int

        package init(parallel: Int, failures: Int) {
            self.parallel = parallel
            self.failures = failures
        }
    }

    /// How many devices stand where. Those that are not counted have ended without a failure.
    package struct Counts: Equatable, Sendable {
        package var waiting: Int
        package var underWay: Int
        package var failed: Int

        package init(waiting: Int, underWay: Int, failed: Int) {
            self.waiting = waiting
            self.underWay = underWay
            self.failed = failed
        }
    }

    package enum Event: String, CaseIterable, Sendable {
        /// It was made, something has changed on a device, or central has started.
        case looked
        // By an operator; each may come again, for its answer may have been lost.
        case pauseRequested, resumeRequested, cancelRequested
    }

    package enum Action: Equatable, Sendable {
        /// Let that many of those that wait begin, in their order.
        case send(Int)
        /// Nobody begins any more, nor does who has its command not yet taken.
        case withdraw
        /// What was asked for cannot be; why, for a person.
        case refuse(String)
    }

    package let limits: Limits
    package private(set) var state: State
    /// Failures that an operator has seen, and gone on after: they count no more.
    package private(set) var forgiven: Int

    package init(limits: Limits, state: State = .running, forgiven: Int = 0) {
        self.limits = limits
        self.state = state
        self.forgiven = forgiven
    }

    package mutating func handle(_ event: Event, _ counts: Counts) -> [Action] {
        switch (state, event) {
        case (.running, .looked), (.running, .resumeRequested):
            return goOn(counts)
        case (.running, .pauseRequested):
            state = .paused
            finishIfDone(counts)
            return []
        case (.paused, .looked), (.halted, .looked), (.paused, .pauseRequested), (.halted, .pauseRequested):
            finishIfDone(counts)
            return []
        case (.paused, .resumeRequested):
            state = .running
            return goOn(counts)
        case (.halted, .resumeRequested):
            state = .running
            forgiven = counts.failed
            return goOn(counts)
        case (.running, .cancelRequested), (.paused, .cancelRequested), (.halted, .cancelRequested):
            state = .cancelled
            return [.withdraw]
        case (.cancelled, .looked), (.cancelled, .cancelRequested), (.finished, .looked):
            return []
        case (.cancelled, .pauseRequested), (.cancelled, .resumeRequested):
            return [.refuse("it was cancelled: make a new one")]
        case (.finished, .pauseRequested), (.finished, .resumeRequested), (.finished, .cancelRequested):
            return [.refuse("it is over")]
        }
    }

    private mutating func goOn(_ counts: Counts) -> [Action] {
        finishIfDone(counts)
        guard state == .running, counts.waiting > 0 else { return [] }
        guard counts.failed - forgiven <= limits.failures else {
            state = .halted
            return []
        }
        let room = min(counts.waiting, limits.parallel - counts.underWay)
        return room > 0 ? [.send(room)] : []
    }

    private mutating func finishIfDone(_ counts: Counts) {
        if counts.waiting == 0, counts.underWay == 0 { state = .finished }
    }
}
