import MonotonicTime

/// After a power cut, a kill, or a disk that takes nothing.
extension DeploymentMachine {
    mutating func recover(
        _ found: DeploymentRecord?, _ history: VersionHistory, _ intact: Set<BundleVersion>, _ now: MonotonicInstant
    ) -> [Action] {
        (self.record, self.history) = (found, history)
        let isIntact = current.map { intact.contains($0) } ?? true
        guard var record = found, !record.state.isEnd else {
            followUpAt = now
            return isIntact ? [] : replaceDamaged(now)
        }
        switch record.state {
        case .downloading, .verifying, .unpacking, .staged: return fail(Self.interruption, now)
        case .activating where current != record.target: return fail(Self.interruption, now)
        case .activating, .probation:
            guard isIntact, current == record.target else {
                let reason = DeploymentReason(.treeDamaged, "\(record.target) is not complete on disk any more")
                return takeBack(reason, now)
            }
            guard record.attempts < Self.mostAttempts else {
                let reason = DeploymentReason(
                    .tooManyAttempts, "the device went down \(record.attempts) times while it ran")
                return giveUp(reason, now)
            }
            return prove(record, attempt: record.attempts + 1, now)
        case .reverting:
            guard record.attempts < Self.mostAttempts else {
                if let refuge = record.refuge { record.givenUp.append(refuge) }
                return turnTo(record, now)
            }
            record.attempts += 1
            return goTo(record, now)
        case .committed, .rolledBack, .failed: return []
        }
    }

    private static var interruption: DeploymentReason {
        DeploymentReason(.interrupted, "the device or its runtime went down over it; nothing that runs was changed")
    }

    private mutating func replaceDamaged(_ now: MonotonicInstant) -> [Action] {
        guard let current else { return [] }
        let reason = DeploymentReason(.treeDamaged, "\(current) is not complete on disk any more")
        let record = DeploymentRecord(
            id: "repair of \(current)", purpose: .recovery, target: current, terms: terms(of: current),
            state: .reverting, reason: reason, givenUp: [current])
        followUpAt = nil
        return turnTo(record, now)
    }

    /// What there is to do when a deployment has ended.
    mutating func followUp(_ now: MonotonicInstant) -> [Action] {
        guard isIdle || record?.state == .probation else { return [] }
        beforeCommit = nil
        if let request = next {
            next = nil
            followUpAt = now
            return take(request, now)
        }
        guard isIdle else { return [] }
        // What runs without having proved itself is judged now.
        guard let current, !isGood(current), !isGivenUp(current) else { return [] }
        return prove(
            DeploymentRecord(
                id: "proof of \(current)", purpose: .recovery, target: current,
                terms: terms(of: current) ?? VersionTerms(), state: .probation), attempt: 1, now)
    }

    /// Whether it runs only because there is no way back from it.
    private func isGivenUp(_ version: BundleVersion) -> Bool {
        guard let record else { return false }
        return record.reason?.code == .cannotGoBack || record.givenUp.contains(version)
    }

    mutating func crashLooped(_ text: String, _ now: MonotonicInstant) -> [Action] {
        // Once: what was gone back to for this reason stays.
        let hasGoneBack = record?.purpose == .recovery && record?.state == .rolledBack
        guard isIdle, followUpAt == nil, !hasGoneBack, let current, let terms = history.terms(of: current),
            terms.isReversible, history.good.contains(where: { $0.version != current })
        else { return [] }
        history.bar(current)
        return turnTo(
            DeploymentRecord(
                id: "recovery from \(current)", purpose: .recovery, target: current, terms: terms, state: .reverting,
                reason: DeploymentReason(.crashLoop, text), givenUp: [current]), now)
    }

    mutating func persistFailed(_ text: String, _ now: MonotonicInstant) -> [Action] {
        // Nothing goes from the disk by a history that is not on it.
        let rest = afterPersist.filter { if case .collect = $0 { false } else { true } }
        afterPersist = []
        guard var record else { return [] }
        switch record.state {
        case .downloading, .verifying, .unpacking, .staged, .activating:
            running = nil
            let reason = DeploymentReason(.storageFailed, "its state cannot be written: \(text)")
            (record.state, record.reason) = (.failed, reason)
            self.record = record
            followUpAt = now
            return rest.filter { if case .end = $0 { true } else { false } } + [.end(record.end)]
        case .committed:
            // A version that was good before stays it.
            guard let before = beforeCommit else { return rest }
            (history, observation) = before
            beforeCommit = nil
            followUpAt = nil
            record.state = .probation
            self.record = record
            retries += 1
            guard retries <= Self.mostRetries else {
                return giveUp(DeploymentReason(.storageFailed, "its success cannot be written: \(text)"), now)
            }
            retryAt = now + Self.retryAfter
            return []
        // Safe without: whoever finds the older state does the same once more.
        case .probation, .reverting, .rolledBack, .failed: return rest
        }
    }
}
