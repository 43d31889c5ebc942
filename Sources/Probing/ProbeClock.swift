package import MonotonicTime

/// One probe of one worker: when it is made, when it has taken too long, and when its failures are enough. Pure: the caller
/// makes the probes and tells what came of them.
///
/// While the worker is paused or has no process, nothing is probed and nothing counts.
package struct ProbeClock: Equatable, Sendable {
    package enum Event: Equatable, Sendable {
        /// The worker's process runs, for the first time or again after a pause.
        case began
        /// The worker is paused, or its process is gone.
        case ended
        /// - `failure`: in a person's words; `nil` for a success.
        case result(failure: String?)
        /// Time has come to `nextDeadline`. Early or superfluous calls are harmless.
        case deadlineReached
        case scheduleChanged(ProbeSchedule)
    }

    package enum Action: Equatable, Sendable {
        /// Make a probe; its `result` is expected.
        case begin
        /// Give up the one under way; nothing is expected of it any more.
        case abandon
        /// The first failure after a success, or at all: for the log.
        case failing(String)
        /// It succeeds again.
        case recovered
        /// So many failures in a row that something has to be done. Comes once until the worker has a new process or the
        /// probe has succeeded.
        case unhealthy(String)
    }

    private enum Phase: Equatable {
        case idle
        case waiting(until: MonotonicInstant)
        case probing(until: MonotonicInstant)
    }

    private var schedule: ProbeSchedule
    private var phase = Phase.idle
    private var graceEnds = MonotonicInstant.zero
    private var isCondemned = false
    /// In a row, up to now.
    package private(set) var failures = 0
    /// Of the last probe; `nil` when it succeeded, or none was made.
    package private(set) var lastFailure: String?
    /// Whether a probe has succeeded since the process began.
    package private(set) var hasSucceeded = false

    package init(_ schedule: ProbeSchedule) {
        self.schedule = schedule
    }

    package var isActive: Bool { phase != .idle }

    package var nextDeadline: MonotonicInstant? {
        switch phase {
        case .idle: nil
        case .waiting(let until), .probing(let until): until
        }
    }

    package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Action] {
        switch (event, phase) {
        case (.scheduleChanged(let schedule), _):
            self.schedule = schedule
            if case .waiting(let until) = phase { phase = .waiting(until: min(until, now + schedule.interval)) }
            return []
        case (.began, .idle):
            begin(at: now)
            return []
        case (.began, .waiting), (.began, .probing): return []
        case (.ended, .probing):
            phase = .idle
            return [.abandon]
        case (.ended, .idle), (.ended, .waiting):
            phase = .idle
            return []
        case (.result(let failure), .probing):
            return judge(failure, at: now)
        case (.result, .idle), (.result, .waiting): return []  // of one that was given up
        case (.deadlineReached, .waiting(let until)):
            guard until <= now else { return [] }
            phase = .probing(until: now + schedule.timeout)
            return [.begin]
        case (.deadlineReached, .probing(let until)):
            guard until <= now else { return [] }
            return [.abandon] + judge("no answer within \(schedule.timeout.formatted)", at: now)
        case (.deadlineReached, .idle): return []
        }
    }

    private mutating func begin(at now: MonotonicInstant) {
        failures = 0
        lastFailure = nil
        hasSucceeded = false
        isCondemned = false
        graceEnds = now + schedule.startGrace
        phase = .waiting(until: now + schedule.interval)
    }

    private mutating func judge(_ failure: String?, at now: MonotonicInstant) -> [Action] {
        phase = .waiting(until: now + schedule.interval)
        guard let failure else {
            let isRecovered = failures > 0
            (failures, lastFailure, hasSucceeded, isCondemned) = (0, nil, true, false)
            return isRecovered ? [.recovered] : []
        }
        lastFailure = failure
        guard hasSucceeded || now >= graceEnds else { return [] }
        failures += 1
        var actions: [Action] = failures == 1 ? [.failing(failure)] : []
        if failures >= schedule.failures, !isCondemned {
            isCondemned = true
            actions.append(.unhealthy(failure))
        }
        return actions
    }
}

extension Duration {
    /// Such as "2 s" or "250 ms".
    fileprivate var formatted: String {
        let milliseconds = wholeNanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
