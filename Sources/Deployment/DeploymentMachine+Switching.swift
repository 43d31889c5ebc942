import MonotonicTime

/// From a complete version to one that has proved itself, or back.
extension DeploymentMachine {
    mutating func treeChecked(_ end: StepEnd, _ now: MonotonicInstant) -> [Action] {
        guard var record else { return [] }
        let damage: DeploymentReason? =
            if case .failed(let text) = end { DeploymentReason(.treeDamaged, text) } else { nil }
        switch record.state {
        case .staged:
            if let damage { return fail(damage, now) }
            record.state = .activating
            return persisted(record, [report(record), perform(.switchTo(record.target), now)])
        case .reverting:
            guard damage == nil else { return nextRefuge(now) }
            return [perform(.switchTo(record.refuge), now)]
        case .downloading, .verifying, .unpacking, .activating, .probation, .committed, .rolledBack, .failed: return []
        }
    }

    mutating func switched(_ end: StepEnd, _ now: MonotonicInstant) -> [Action] {
        guard let record else { return [] }
        switch (record.state, end) {
        case (.activating, .failed(let text)): return takeBack(DeploymentReason(.switchFailed, text), now)
        case (.activating, _):
            guard current == record.target else {
                return takeBack(DeploymentReason(.switchFailed, "something else has become current"), now)
            }
            guard !isCancelled else {
                return takeBack(DeploymentReason(.cancelled, "it was called off"), now)
            }
            return prove(record, attempt: 1, now)
        case (.reverting, .failed(let text)): return retryReverting(text, now)
        case (.reverting, _):
            guard current == record.refuge else { return retryReverting("something else has become current", now) }
            return [perform(.apply(record.refuge), now)]
        case (.downloading, _), (.verifying, _), (.unpacking, _), (.staged, _), (.probation, _), (.committed, _),
            (.rolledBack, _), (.failed, _):
            return []
        }
    }

    /// Counts the attempt before the version runs: it may take the machine down with it.
    mutating func prove(_ record: DeploymentRecord, attempt: Int, _ now: MonotonicInstant) -> [Action] {
        var record = record
        record.state = .probation
        record.attempts = attempt
        history.candidate = VersionHistory.Good(version: record.target, terms: record.terms ?? VersionTerms())
        return persisted(record, [report(record), perform(.apply(record.target), now)])
    }

    mutating func applied(_ end: StepEnd, _ now: MonotonicInstant) -> [Action] {
        guard let record else { return [] }
        switch (record.state, end) {
        case (.probation, .failed(let text)): return giveUp(DeploymentReason(.refusedByRuntime, text), now)
        case (.probation, _):
            if next != nil { followUpAt = now }
            return observe(record.target, record.terms, now)
        case (.reverting, .failed(let text)):
            return record.refuge == nil ? retryReverting(text, now) : nextRefuge(now)
        case (.reverting, _):
            guard let refuge = record.refuge else { return endReverting(.failed, now) }
            return observe(refuge, history.terms(of: refuge), now)
        case (.downloading, _), (.verifying, _), (.unpacking, _), (.staged, _), (.activating, _), (.committed, _),
            (.rolledBack, _), (.failed, _):
            return []
        }
    }

    // MARK: Probation

    private mutating func observe(
        _ version: BundleVersion, _ terms: VersionTerms?, _ now: MonotonicInstant
    ) -> [Action] {
        observation = Observation(terms ?? VersionTerms(), at: now)
        return [.observe(version)]
    }

    mutating func note(_ health: Health, _ now: MonotonicInstant) -> [Action] {
        guard let record, var observation else { return [] }
        observation.note(health, at: now)
        self.observation = observation
        switch (record.state, health) {
        case (.probation, .failed(let text)): return giveUp(DeploymentReason(.crashLoop, text), now)
        case (.reverting, .failed): return nextRefuge(now)
        case (.reverting, .well): return endReverting(.rolledBack, now)
        case (.probation, .well) where !observation.hasPassedSelfTest && running == nil:
            return [perform(.selfTest(record.target), now)]
        case (.downloading, _), (.verifying, _), (.unpacking, _), (.staged, _), (.activating, _), (.probation, _),
            (.committed, _), (.reverting, _), (.rolledBack, _), (.failed, _):
            return observationDue(now)
        }
    }

    mutating func observationDue(_ now: MonotonicInstant) -> [Action] {
        guard let record, let observation, retryAt == nil else { return [] }
        let isProving = record.state == .probation
        switch observation.verdict(at: now) {
        case .undecided: return []
        case .proven: return isProving ? commit(record, now) : []
        case .notReady:
            let reason = DeploymentReason(
                .notReady, "not all of its workers were ready within \(observation.terms.readyWithin)")
            return isProving ? giveUp(reason, now) : nextRefuge(now)
        case .unsteady:
            let reason = DeploymentReason(
                .unhealthy, "it was never well for \(observation.terms.probation) without a break")
            return isProving ? giveUp(reason, now) : nextRefuge(now)
        }
    }

    private mutating func commit(_ record: DeploymentRecord, _ now: MonotonicInstant) -> [Action] {
        var record = record
        (record.state, record.reason) = (.committed, nil)
        beforeCommit = (history, observation)
        history.noteGood(record.target, record.terms ?? VersionTerms())
        observation = nil
        self.record = record
        followUpAt = now
        return persisted(
            record, [.endObservation, .end(record.end), .collect(keeping: kept)])
    }

    // MARK: Going back

    /// The target has run, and is no good.
    mutating func giveUp(_ reason: DeploymentReason, _ now: MonotonicInstant) -> [Action] {
        guard var record else { return [] }
        guard record.isForced || record.terms?.isReversible ?? true else {
            let actions = abandonStep() + endObservation()
            (retryAt, retries) = (nil, 0)
            record.state = .failed
            record.reason = DeploymentReason(
                .cannotGoBack, "\(reason.text); earlier versions cannot read the data that it has written")
            self.record = record
            followUpAt = now
            return actions + persisted(record, [.end(record.end)])
        }
        return takeBack(reason, now)
    }

    mutating func takeBack(_ reason: DeploymentReason, _ now: MonotonicInstant) -> [Action] {
        guard var record else { return [] }
        record.reason = reason
        if !record.givenUp.contains(record.target) { record.givenUp.append(record.target) }
        return turnTo(record, now)
    }

    /// The version gone back to is no good either.
    private mutating func nextRefuge(_ now: MonotonicInstant) -> [Action] {
        guard var record else { return [] }
        if let refuge = record.refuge { record.givenUp.append(refuge) }
        return turnTo(record, now)
    }

    mutating func turnTo(_ record: DeploymentRecord, _ now: MonotonicInstant) -> [Action] {
        let actions = abandonStep() + endObservation()
        (retryAt, retries) = (nil, 0)
        var record = record
        record.state = .reverting
        record.attempts = 1
        record.refuge = history.good.first { !record.givenUp.contains($0.version) }?.version
        if record.refuge == nil, !history.good.isEmpty {
            record.reason = DeploymentReason(
                .nothingLeft, "no version that is kept works; the last: \(record.reason?.text ?? "")")
        }
        return actions + goTo(record, now)
    }

    mutating func goTo(_ record: DeploymentRecord, _ now: MonotonicInstant) -> [Action] {
        let step = perform(record.refuge.map { .checkTree($0) } ?? .switchTo(nil), now)
        return persisted(record, [report(record), step])
    }

    private mutating func retryReverting(_ text: String, _ now: MonotonicInstant) -> [Action] {
        retries += 1
        guard retries <= Self.mostRetries else {
            record?.reason = DeploymentReason(.switchFailed, text)
            return endReverting(.failed, now)
        }
        retryAt = now + Self.retryAfter
        return []
    }

    private mutating func endReverting(_ state: DeploymentRecord.State, _ now: MonotonicInstant) -> [Action] {
        guard var record else { return [] }
        record.state = state
        history.candidate = nil
        self.record = record
        let hadObservation = endObservation()
        followUpAt = now
        return persisted(
            record, hadObservation + [.end(record.end), .collect(keeping: kept)])
    }

    mutating func tryAgain(_ now: MonotonicInstant) -> [Action] {
        guard let record else { return [] }
        switch record.state {
        case .probation: return observationDue(now)
        case .reverting: return [perform(.switchTo(record.refuge), now)]
        case .downloading, .verifying, .unpacking, .staged, .activating, .committed, .rolledBack, .failed: return []
        }
    }
}
