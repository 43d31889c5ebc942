package import MonotonicTime

/// Whether central is worth asking at all. Five failures in a row open it; then one request at a time, after a random wait,
/// probes whether it may close.
package struct CircuitBreaker: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Requests go out. - failures: in a row.
        case closed(failures: Int)
        /// None goes out.
        case open(failures: Int, until: MonotonicInstant)
        /// One goes out.
        case halfOpen(failures: Int, isProbing: Bool)
    }

    package enum Event: Equatable, Sendable {
        case requestBegan
        /// It brought an answer that shows central at work, be it a refusal.
        case answered
        /// - began: when it was sent. Requests that break together are one failure.
        case failed(began: MonotonicInstant)
        /// The time of `deadline` has come. Early or superfluous calls are harmless.
        case deadlineReached
    }

    package enum Action: Equatable, Sendable {
        case opened
        case closed
    }

    /// In a row, after which it opens.
    package static let mostFailures = 5

    package private(set) var state = State.closed(failures: 0)
    private var lastFailure: MonotonicInstant?

    package init() {}

    package mutating func handle(
        _ event: Event, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        switch (state, event) {
        case (.closed, .answered):
            state = .closed(failures: 0)
        case (.closed(let failures), .failed(let began)):
            // One that was under way when another failed has failed for the same reason.
            if let lastFailure, began < lastFailure { return [] }
            lastFailure = now
            guard failures + 1 >= Self.mostFailures else {
                state = .closed(failures: failures + 1)
                return []
            }
            open(failures: failures + 1, at: now, using: &random)
            return [.opened]
        case (.open, .answered), (.halfOpen, .answered):
            // Also a late answer shows that central lives.
            state = .closed(failures: 0)
            return [.closed]
        case (.open(let failures, let until), .deadlineReached):
            if now >= until { state = .halfOpen(failures: failures, isProbing: false) }
        case (.halfOpen(let failures, isProbing: false), .requestBegan):
            state = .halfOpen(failures: failures, isProbing: true)
        case (.halfOpen(let failures, isProbing: true), .failed(let began)):
            // Another one, from before it opened.
            if let lastFailure, began < lastFailure { return [] }
            lastFailure = now
            open(failures: failures + 1, at: now, using: &random)
        case (.closed, .requestBegan), (.closed, .deadlineReached), (.open, .requestBegan), (.open, .failed),
            (.halfOpen, .requestBegan), (.halfOpen, .failed), (.halfOpen, .deadlineReached):
            break
        }
        return []
    }

    private mutating func open(
        failures: Int, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) {
        state = .open(failures: failures, until: now + Backoff.delay(failures: failures, using: &random))
    }

    /// Whether a request may begin now.
    package var letsThrough: Bool {
        switch state {
        case .closed, .halfOpen(_, isProbing: false): true
        case .open, .halfOpen(_, isProbing: true): false
        }
    }

    package var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    /// When it wants `deadlineReached`.
    package var deadline: MonotonicInstant? {
        guard case .open(_, let until) = state else { return nil }
        return until
    }
}
