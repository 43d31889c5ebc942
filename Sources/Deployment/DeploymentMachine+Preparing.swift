import MonotonicTime

/// From a request to a version that is complete on disk. Nothing that runs is touched.
extension DeploymentMachine {
    mutating func take(_ request: DeploymentRequest, _ now: MonotonicInstant) -> [Action] {
        if let record, record.id == request.id, !record.state.isEnd { return [report(record)] }
        if request.id == next?.id { return [] }
        let known = record.map { [$0.end] + history.ends } ?? history.ends
        if let end = known.first(where: { $0.id == request.id }), !end.mayBeTriedAgain { return [.end(end)] }
        let isSwitching = record?.state == .activating || record?.state == .reverting
        // What it would be refused for may be otherwise when its turn comes.
        if !isSwitching, let refusal = refusal(of: request) {
            return [.end(DeploymentEnd(id: request.id, .failed, refusal))]
        }
        let replaced = next.map { [Self.superseded($0.id)] } ?? []
        replaced.forEach { history.noteEnd($0) }
        next = nil
        guard let record, !record.state.isEnd else { return begin(request, replaced, now) }
        switch record.state {
        case .activating, .reverting:
            next = request
            return replaced.map { .end($0) }
        // What runs in probation has not proved itself. It runs on while the newer one is prepared, and is judged if that
        // fails.
        case .downloading, .verifying, .unpacking, .staged, .probation:
            let actions = abandonStep() + endObservation()
            return actions + begin(request, replaced + [Self.superseded(record.id)], now)
        case .committed, .rolledBack, .failed: return []
        }
    }

    mutating func cancel(_ id: String, _ now: MonotonicInstant) -> [Action] {
        let reason = DeploymentReason(.cancelled, "it was called off")
        if let waiting = next, waiting.id == id {
            next = nil
            return [.end(DeploymentEnd(id: id, .failed, reason))]
        }
        guard let record, record.id == id else { return [] }
        switch record.state {
        case .downloading, .verifying, .unpacking, .staged: return abandonStep() + fail(reason, now)
        case .activating:
            isCancelled = true
            return []
        case .probation: return giveUp(reason, now)
        case .committed, .reverting, .rolledBack, .failed: return []
        }
    }

    // MARK: Beginning

    /// What was asked for and not refused.
    /// - Parameter ends: of what it takes the place of; told when that is on disk.
    private mutating func begin(
        _ request: DeploymentRequest, _ ends: [DeploymentEnd], _ now: MonotonicInstant
    ) -> [Action] {
        let ends: [Action] = ends.map { .end($0) }
        downloadWithin = request.downloadWithin
        isCancelled = false
        beforeCommit = nil
        (retryAt, retries) = (nil, 0)
        switch request.intent {
        case .deploy(let version):
            if version == current, isGood(version) {
                let new = DeploymentRecord(
                    id: request.id, isForced: request.isForced, target: version, terms: history.terms(of: version),
                    state: .committed)
                self.record = new
                return persisted(new, ends + [.end(new.end)])
            }
            let new = DeploymentRecord(
                id: request.id, isForced: request.isForced, target: version, state: .downloading)
            let step = perform(.download(version), now)
            return persisted(new, ends + [report(new), step])
        case .rollback(let version):
            guard let good = rollbackTarget(version) else { return ends }
            let new = DeploymentRecord(
                id: request.id, purpose: .rollback, isForced: request.isForced, target: good.version,
                terms: good.terms, state: .staged)
            let step = perform(.checkTree(good.version), now)
            return persisted(new, ends + [report(new), step])
        }
    }

    /// Why a request is not even begun.
    func refusal(of request: DeploymentRequest) -> DeploymentReason? {
        switch request.intent {
        case .deploy(let version):
            if request.isForced { return nil }
            if history.barred.contains(version) {
                return DeploymentReason(.barred, "\(version) has failed on this device; force it to try again")
            }
            return version != current && isGood(version) ? irreversibility : nil
        case .rollback(let version):
            guard rollbackTarget(version) != nil else {
                return DeploymentReason(
                    .notKept,
                    version.map { "\($0) is not among the good versions that are kept" }
                        ?? "no other good version is kept")
            }
            return request.isForced ? nil : irreversibility
        }
    }

    private func rollbackTarget(_ version: BundleVersion?) -> VersionHistory.Good? {
        history.good.first { $0.version != current && (version == nil || $0.version == version) }
    }

    private var irreversibility: DeploymentReason? {
        guard let current, let terms = terms(of: current), !terms.isReversible else { return nil }
        return DeploymentReason(
            .cannotGoBack, "\(current) writes data that earlier versions cannot read; force it to go back all the same")
    }

    func isGood(_ version: BundleVersion) -> Bool { history.terms(of: version) != nil }

    func terms(of version: BundleVersion) -> VersionTerms? {
        history.terms(of: version) ?? (history.candidate?.version == version ? history.candidate?.terms : nil)
    }

    // MARK: Steps

    mutating func finish(_ step: Step, _ end: StepEnd, _ now: MonotonicInstant) -> [Action] {
        guard var record, !record.state.isEnd else { return [] }
        switch (step, end) {
        case (.download, .failed(let text)): return fail(DeploymentReason(.downloadFailed, text), now)
        case (.verify, .failed(let text)): return fail(DeploymentReason(.verificationFailed, text), now)
        case (.unpack, .failed(let text)): return fail(DeploymentReason(.unpackFailed, text), now)
        case (.unpack, .done): return fail(DeploymentReason(.unpackFailed, "nobody knows what it asks for"), now)
        case (.download, .done), (.download, .unpacked):
            record.state = .verifying
            return persisted(record, [report(record), perform(.verify(record.target), now)])
        case (.verify, .done), (.verify, .unpacked):
            record.state = .unpacking
            return persisted(record, [report(record), perform(.unpack(record.target), now)])
        case (.unpack, .unpacked(let terms)):
            record.state = .staged
            record.terms = terms
            return persisted(record, [report(record), perform(.checkTree(record.target), now)])
        case (.checkTree, let end): return treeChecked(end, now)
        case (.switchTo, let end): return switched(end, now)
        case (.apply, let end): return applied(end, now)
        case (.selfTest, .failed(let text)): return giveUp(DeploymentReason(.selfTestFailed, text), now)
        case (.selfTest, .done), (.selfTest, .unpacked):
            observation?.hasPassedSelfTest = true
            return observationDue(now)
        }
    }

    /// Nothing that runs was touched.
    mutating func fail(_ reason: DeploymentReason, _ now: MonotonicInstant) -> [Action] {
        guard var record else { return [] }
        (record.state, record.reason) = (.failed, reason)
        self.record = record
        followUpAt = now
        return persisted(record, [.end(record.end), .collect(keeping: kept)])
    }
}
