import MonotonicTime
import Supervision

/// Deaths of the supervisor. What was handled in one wake-up is recorded together, and only then may new children execute
/// their programs. A death takes away what was not recorded: the observer does not get to see it either, for the next
/// supervisor knows nothing of it and nobody was told.
extension Simulation {
    /// One turn of the supervisor's loop: events, and the orders that follow, which are recorded together.
    func wakeUp(_ turn: () -> Void) {
        survival.hasHandled = false
        survival.orders = 0
        turn()
        guard violation == nil, survival.absence == nil else { return }
        guard let death = survival.impending, isFatal(death) else { return completeWakeUp() }
        switch death.stage {
        case .beforeRecord: die(death)
        case .beforeLettingGo:
            writeRecord()
            die(death)
        case .atEnd:
            completeWakeUp()
            die(death)
        }
    }

    /// Enters what happens into the account, unless it may still be lost.
    func follow(_ entry: TraceEntry) {
        survival.hasHandled = true
        if survival.impending != nil { survival.unrecorded.append(entry) } else { observe(entry) }
    }

    /// Carries orders out, up to the one before which the supervisor dies.
    func perform(_ actions: [Action]) {
        for action in actions {
            if let death = survival.impending, isOrder(action) {
                if death.recordedAfter == survival.orders {
                    writeRecord()
                    world.letGo()
                }
                if let limit = death.ordersPerformed, survival.orders >= limit { return die(death) }
                survival.orders += 1
            }
            if action == .completeShutdown { survival.isOver = true }
            world.perform(action, specification: { tree.specification(of: $0) }, at: now)
        }
    }

    private func isOrder(_ action: Action) -> Bool {
        if case .report = action { false } else { true }
    }

    private func isFatal(_ death: SupervisorDeath) -> Bool {
        guard survival.hasHandled, !survival.isOver else { return false }
        return death.moment != .nextWork || survival.orders > 0
    }

    private func completeWakeUp() {
        writeRecord()
        world.letGo()
        if violation == nil { violation = observer.check(world.sightings()) }
    }

    private func writeRecord() {
        let entries = survival.unrecorded
        survival.unrecorded = []
        for entry in entries where violation == nil { observe(entry) }
        guard survival.isPossible, survival.hasHandled else { return }
        survival.record.apply(tree.takeChanges())
        survival.hasRecord = true
    }

    private func observe(_ entry: TraceEntry) {
        switch entry {
        case .step(let observation, _): violation = observer.observe(observation)
        case .handover(let handover): violation = observer.follow(handover)
        case .lost, .death: break
        }
        witness?(entry)
    }

    // MARK: Death and succession

    /// The schedule says how the supervisor is to die.
    func meet(_ death: SupervisorDeath) {
        guard survival.impending == nil, !survival.isOver, now < world.faultsEnd else { return }
        guard death.moment != .asleep else { return die(death) }
        survival.impending = death
        if death.stall > .zero { stallEnd = max(stallEnd, now.advanced(by: death.stall)) }
    }

    private func die(_ death: SupervisorDeath) {
        if survival.hasRecord, survival.unrecorded.isEmpty {
            require(survival.record == tree.record, "the recorded changes do not add up to what the tree is like")
        }
        for entry in survival.unrecorded {
            if case .step(let observation, let before) = entry {
                witness?(.lost(observation, before: before))
            } else {
                witness?(entry)
            }
        }
        survival.unrecorded = []
        survival.impending = nil
        survival.deaths += 1
        let end = max(now, min(now.advanced(by: death.gap), world.faultsEnd))
        survival.absence = Survival.Absence(end: end, death: death)
        if let configuration = death.configuration { survival.configuration = configuration }
        witness?(.death(now))
        world.loseSupervisor(death, at: now)
        history = []
        stallEnd = .zero
        let late = heldBack
        heldBack = []
        for coming in late { takeUnsupervised(coming) }
    }

    /// Goes on until the next supervisor is there.
    func pass(_ absence: Survival.Absence) {
        guard let next = world.queue.first, next.due <= absence.end, let entry = world.queue.popFirst() else {
            now = max(now, absence.end)
            return succeed(absence.death)
        }
        now = max(now, entry.due)
        takeUnsupervised(entry.payload)
    }

    func takeUnsupervised(_ coming: World.Coming) {
        switch coming {
        case .event(let event): world.miss(event)
        case .step(let instance, let step): world.take(step, of: instance, at: now)
        case .stimulus(.reload(let specification)): survival.configuration = specification
        case .stimulus(.death(var death)):
            // Nobody is there to die; the next one does, at its first steps.
            if death.moment == .asleep { death.moment = .nextWakeUp }
            if survival.impending == nil { survival.impending = death }
        case .stimulus: break  // nobody is there to ask
        }
    }

    private func succeed(_ death: SupervisorDeath) {
        survival.absence = nil
        let configuration = survival.configuration
        let seed = schedule.seed &+ UInt64(survival.deaths)
        wakeUp {
            guard survival.hasRecord else {
                tree = SupervisorTree(configuration, seed: seed)
                status = tree.status(at: now)
                observer = Observer(configuration, status: status)
                _ = world.meetSupervisor(TreeRecord(), owners: [:], at: now)
                return handle(.started)
            }
            tree = SupervisorTree(configuration, seed: seed, restoring: survival.record(afterDeath: death))
            checkRecord(configuration)
            status = tree.status(at: now)
            let owners = owners()
            follow(.handover(Handover(now: now, specification: configuration, status: status, owners: owners)))
            let found = world.meetSupervisor(survival.record, owners: owners, at: now)
            handle(.resumed)
            if let replaced = death.replaced, !status.workers.isEmpty {
                let worker = status.workers[Int(replaced % UInt64(status.workers.count))].id
                handle(.operatorRequested(worker, .restart))
            }
            for event in found { handle(event) }
        }
    }

    /// What was recorded is what the restored tree would record, until something happens to it.
    private func checkRecord(_ configuration: SupervisorSpecification) {
        guard configuration == observer.specification, !survival.record.isShuttingDown else { return }
        let isRestored = tree.record.withoutClocks == survival.record.withoutClocks
        require(isRestored, "what was recorded is not what was restored")
    }

    private func require(_ condition: Bool, _ explanation: String) {
        if !condition { violation = violation ?? Violation(invariant: .recordKept, explanation: explanation) }
    }

    private func owners() -> [InstanceID: WorkerID] {
        Dictionary(uniqueKeysWithValues: tree.liveInstances.map { ($0.instance, $0.worker) })
    }
}
