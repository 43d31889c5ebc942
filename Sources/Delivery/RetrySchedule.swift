package import MonotonicTime

/// When requests of one kind may be tried again.
package struct RetrySchedule: Equatable, Sendable {
    /// In a row.
    package private(set) var failures = 0
    package private(set) var notBefore: MonotonicInstant?
    /// Said by central, or waiting for somebody: it holds although other requests succeed.
    private var isFirm = false
    private var signedAgain = 0

    /// How often in a row a request is signed anew at once: the clock, then a nonce. More than that is no progress.
    private static let mostSignedAgain = 2

    package init() {}

    package mutating func handle(
        _ outcome: Outcome, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) {
        switch outcome {
        case .succeeded: self = RetrySchedule()
        case .failed: fail(at: now, using: &random)
        case .throttled(let wait):
            failures += 1
            let own = Backoff.delay(failures: failures, using: &random)
            pause(until: now + max(own, min(wait, Backoff.longestThrottle)), isFirm: true)
        case .toBeSignedAgain:
            signedAgain += 1
            if signedAgain > Self.mostSignedAgain { fail(at: now, using: &random) } else { notBefore = nil }
        case .pending: pause(until: now + Backoff.whilePending, isFirm: true)
        case .refused, .unwanted: pause(until: now + Backoff.afterRefusal, isFirm: true)
        }
    }

    private mutating func fail(at now: MonotonicInstant, using random: inout some RandomNumberGenerator) {
        failures += 1
        signedAgain = 0
        pause(until: now + Backoff.delay(failures: failures, using: &random), isFirm: false)
    }

    private mutating func pause(until instant: MonotonicInstant, isFirm: Bool) {
        (notBefore, self.isFirm) = (instant, isFirm)
    }

    /// Waits of our own accord, although nothing has failed.
    /// - Parameter count: how often in a row.
    package mutating func back(
        off count: Int, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) {
        pause(until: now + Backoff.delay(failures: count, using: &random), isFirm: false)
    }

    /// Central answers others again: a wait of our own accord is over.
    package mutating func forgive() {
        if !isFirm { self = RetrySchedule() }
    }

    /// Waits at least until then.
    package mutating func hold(until instant: MonotonicInstant) {
        pause(until: max(instant, notBefore ?? instant), isFirm: true)
    }
}
