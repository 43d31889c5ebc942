import MonotonicTime

/// A version that has been switched to, and how long it has been well. While its workers are suspended its clocks stand.
struct Observation: Sendable {
    let terms: VersionTerms
    private(set) var readyBy: MonotonicInstant
    private(set) var wellSince: MonotonicInstant?
    /// Beyond this it is not tried any longer, however often it recovers.
    private(set) var limit: MonotonicInstant
    private var suspendedAt: MonotonicInstant?
    var hasPassedSelfTest: Bool

    /// Breaks that a version may have, in times of its probation.
    private static let patience = 3

    init(_ terms: VersionTerms, at now: MonotonicInstant) {
        self.terms = terms
        readyBy = now + terms.readyWithin
        limit = now + terms.readyWithin + terms.probation * Self.patience + (terms.selfTestWithin ?? .zero)
        hasPassedSelfTest = terms.selfTestWithin == nil
    }

    enum Verdict {
        case undecided, proven, notReady, unsteady
    }

    func verdict(at now: MonotonicInstant) -> Verdict {
        if suspendedAt != nil { return .undecided }
        if let wellSince {
            if hasPassedSelfTest, wellSince + terms.probation <= now { return .proven }
        } else if readyBy <= now {
            return .notReady
        }
        return limit <= now ? .unsteady : .undecided
    }

    var deadline: MonotonicInstant? {
        if suspendedAt != nil { return nil }
        guard let wellSince else { return min(readyBy, limit) }
        // The self-test has a deadline of its own.
        return hasPassedSelfTest ? min(wellSince + terms.probation, limit) : limit
    }

    mutating func note(_ health: DeploymentMachine.Health, at now: MonotonicInstant) {
        if health == .suspended {
            suspendedAt = suspendedAt ?? now
            return
        }
        if let since = suspendedAt {
            let pause = since.duration(to: now)
            readyBy = readyBy + pause
            limit = limit + pause
            wellSince = wellSince.map { $0 + pause }
            suspendedAt = nil
        }
        switch health {
        case .well: wellSince = wellSince ?? now
        case .incomplete, .failed:
            if wellSince != nil { readyBy = now + terms.readyWithin }
            wellSince = nil
        case .suspended: break
        }
    }
}
