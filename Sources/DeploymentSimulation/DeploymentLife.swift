import Deployment
import MonotonicTime
import SeededRandom

/// One bundle's deployments in virtual time, on a device that is cut off at any instant and whose disk fails: the machine,
/// what it takes for its shell, and the promises that are checked at every step.
package struct DeploymentLife {
    package enum Trouble: String, CaseIterable, Sendable {
        /// Power cuts, before and after each action.
        case cuts
        /// A disk that takes nothing for a while.
        case disk
        /// Steps that fail or never end.
        case steps
        /// Files that change by themselves.
        case rot
        /// Newer requests and cancellations in between.
        case intents
    }

    struct Work {
        var at: MonotonicInstant
        var token: Int
        var step: DeploymentMachine.Step
    }

    let troubles: Set<Trouble>
    let isTraced: Bool
    var random: SeededGenerator
    var now = MonotonicInstant.zero
    var machine = DeploymentMachine()
    // What outlives a power cut.
    var disk = SimulatedDisk()
    // What does not.
    var work: Work?
    var applied: BundleVersion?
    var observed: BundleVersion?
    var course: [(at: MonotonicInstant, health: DeploymentMachine.Health)] = []
    /// Of the observed version, as the simulation itself has seen it.
    var wellSince: MonotonicInstant?
    var suspendedAt: MonotonicInstant?
    var hasPassedSelfTest = false

    var versions: [SimulatedVersion] = []
    var forced: Set<String> = []
    var ends: [String: (state: DeploymentRecord.State, reason: DeploymentReason?)] = [:]
    var switches: [String: Int] = [:]
    var committed: Set<BundleVersion> = []
    /// How often a version was started by one deployment.
    var starts: [String: Int] = [:]
    package private(set) var faults: [String] = []
    package private(set) var cuts = 0
    package private(set) var successes = 0
    private var requests = 0
    /// Number of the latest request that was begun.
    private var newest = 0
    /// Those that have no end yet, in their order: whoever ordered them asks again after a cut.
    private var open: [DeploymentRequest] = []
    private var isQuiet = false

    package init(seed: UInt64, _ troubles: Set<Trouble>, isTraced: Bool = false) {
        (self.troubles, self.isTraced) = (troubles, isTraced)
        random = SeededGenerator(seed: seed)
        versions = (1...6).map { SimulatedVersion($0, &random) }
    }

    package mutating func run(steps: Int) {
        boot()
        for _ in 0..<steps where faults.isEmpty {
            stimulate()
            advance()
        }
        // Left alone, all comes to an end.
        isQuiet = true
        disk.isFailing = false
        var left = 400
        while faults.isEmpty, left > 0, advance() { left -= 1 }
        guard faults.isEmpty else { return }
        check(left > 0, "it does not come to rest")
        check(machine.record?.state.isEnd ?? true, "left alone, it rests in \(machine.record?.state.rawValue ?? "")")
        check(open.isEmpty, "\(open.map(\.id)) have no end")
    }

    // MARK: Stimuli

    private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    private mutating func stimulate() {
        if machine.record?.state.isEnd ?? true ? chance(3) : troubles.contains(.intents) && chance(25) { request() }
        if troubles.contains(.intents), chance(60), let id = machine.record?.id { deliver(.cancelled(id: id)) }
        if troubles.contains(.disk), chance(20) { disk.isFailing.toggle() }
        let trees = disk.trees.sorted { $0.number < $1.number }
        if troubles.contains(.rot), chance(40), let version = trees.randomElement(using: &random),
            version != disk.current
        {
            trace("\(version) rots")
            disk.rotten.insert(version)
        }
        if troubles.contains(.cuts), chance(30) { cut() }
        if chance(50), applied != nil, applied == disk.current { deliver(.crashLooped("late")) }
        if observed != nil, chance(12) { see(suspendedAt == nil ? .suspended : health(of: course.first?.health)) }
    }

    private func health(of next: DeploymentMachine.Health?) -> DeploymentMachine.Health {
        next == .well ? .incomplete : wellSince != nil ? .well : .incomplete
    }

    private mutating func request() {
        requests += 1
        let id = "r\(requests)"
        let isForced = chance(6)
        if isForced { forced.insert(id) }
        let version = versions.randomElement(using: &random)?.version
        let intent: DeploymentRequest.Intent =
            chance(4) ? .rollback(to: chance(2) ? nil : version) : .deploy(version ?? versions[0].version)
        let request = DeploymentRequest(id: id, intent, isForced: isForced, downloadWithin: .seconds(300))
        open.append(request)
        deliver(.requested(request))
    }

    // MARK: Time

    /// Goes to what comes next. - Returns: whether there was anything.
    @discardableResult
    private mutating func advance() -> Bool {
        if isQuiet, suspendedAt != nil { see(.incomplete) }
        let due = machine.deadline
        let moments = [work?.at, course.first?.at, due].compactMap(\.self)
        guard let at = moments.min() else { return false }
        now = max(now, at)
        if let step = work, step.at <= now {
            work = nil
            end(step)
        } else if let next = course.first, next.at <= now {
            course.removeFirst()
            see(next.health)
        } else {
            deliver(.deadlineReached)
        }
        return true
    }

    private mutating func see(_ health: DeploymentMachine.Health) {
        guard observed != nil else { return }
        switch health {
        case .suspended: suspendedAt = suspendedAt ?? now
        case .well:
            if let since = suspendedAt { wellSince = wellSince.map { $0 + since.duration(to: now) } }
            suspendedAt = nil
            wellSince = wellSince ?? now
        case .incomplete, .failed: (wellSince, suspendedAt) = (nil, nil)
        }
        deliver(.healthChanged(health))
    }

    private mutating func end(_ work: Work) {
        if troubles.contains(.steps), !isQuiet, chance(8) {
            // Nothing is known of what a failed switch has done.
            if case .switchTo(let version) = work.step, chance(2) { disk.current = version }
            return deliver(.finished(token: work.token, .failed("it failed")))
        }
        switch work.step {
        case .download, .verify: deliver(.finished(token: work.token, .done))
        case .unpack(let version):
            disk.trees.insert(version)
            disk.rotten.remove(version)
            deliver(.finished(token: work.token, .unpacked(known(version)?.terms ?? VersionTerms())))
        case .checkTree(let version):
            let isWhole = disk.trees.contains(version) && !disk.rotten.contains(version)
            deliver(.finished(token: work.token, isWhole ? .done : .failed("it is not what was unpacked")))
        case .switchTo(let version):
            switchOver(to: version)
            deliver(.finished(token: work.token, .done))
        case .apply(let version):
            applied = version
            check(version == disk.current, "what is applied is not what is current")
            // Unless the disk did not take the count.
            if let record = machine.record, Int(record.id.dropFirst()) != nil, let version, !troubles.contains(.disk) {
                let name = "\(record.id), \(record.state), \(version)"
                starts[name, default: 0] += 1
                check(
                    starts[name, default: 0] <= DeploymentMachine.mostAttempts, "\(name) is started again and again")
            }
            if version.flatMap({ known($0) })?.nature == .takesMachineDown, chance(2) { return cut() }
            deliver(.finished(token: work.token, .done))
        case .selfTest(let version):
            let isPassed = known(version)?.nature != .failsSelfTest
            hasPassedSelfTest = isPassed
            deliver(.finished(token: work.token, isPassed ? .done : .failed("the self-test says no")))
        }
    }

    private func known(_ version: BundleVersion) -> SimulatedVersion? { versions.first { $0.version == version } }

    private mutating func switchOver(to version: BundleVersion?) {
        let id = machine.record?.id ?? ""
        switches[id, default: 0] += 1
        check(switches[id, default: 0] <= 40, "\(id) switches without end")
        if let version {
            check(disk.trees.contains(version), "\(version) becomes current and is not on disk")
            let isMeant = machine.record?.isForced ?? false || !(disk.saved?.history.barred.contains(version) ?? false)
            check(isMeant, "\(version) is barred and becomes current")
        }
        disk.current = version
    }

    // MARK: The shell

    private mutating func boot() {
        machine = DeploymentMachine()
        (work, observed, course, wellSince, suspendedAt) = (nil, nil, [], nil, nil)
        // The supervisor starts what is current by itself.
        applied = disk.current
        deliver(
            .recovered(
                disk.saved?.record, disk.saved?.history ?? VersionHistory(), intact: disk.trees))
        for request in open where open.contains(where: { $0.id == request.id }) { deliver(.requested(request)) }
    }

    private mutating func cut() {
        cuts += 1
        trace("power cut")
        now = now + .seconds(5)
        boot()
    }

    private mutating func deliver(_ event: DeploymentMachine.Event) {
        trace("\(event)")
        let actions = machine.handle(event, current: disk.current, at: now)
        for action in actions where faults.isEmpty {
            if troubles.contains(.cuts), !isQuiet, chance(60) { return cut() }
            trace("    \(action)")
            guard perform(action) else { return deliver(.persistFailed("no space left")) }
        }
        checkAtRest()
    }

    /// - Returns: false when the disk took it not.
    private mutating func perform(_ action: DeploymentMachine.Action) -> Bool {
        switch action {
        case .persist(let record, let history):
            if disk.isFailing { return false }
            if let number = Int(record.id.dropFirst()) {
                check(number >= newest, "\(record.id) is begun after r\(newest)")
                newest = max(newest, number)
            }
            disk.saved = (record, history)
            // Anew, after an interruption.
            if record.state == .activating { starts = starts.filter { !$0.key.hasPrefix("\(record.id), ") } }
            if record.state == .committed {
                checkProof(record)
                committed.insert(record.target)
            }
            check(Set(history.good.map(\.version)).isSubset(of: committed), "a version counts as good that never was")
        case .perform(let step, let token):
            check(work == nil, "two steps at once")
            let isEndless = troubles.contains(.steps) && !isQuiet && chance(20)
            let duration: Duration = .seconds(Int.random(in: 0...9, using: &random))
            work = Work(
                at: isEndless ? MonotonicInstant(nanoseconds: .max) : now + duration, token: token, step: step)
        case .abandon(let token):
            if work?.token == token { work = nil }
        case .observe(let version):
            check(version == applied, "what is observed does not run")
            observed = version
            (wellSince, suspendedAt) = (nil, nil)
            hasPassedSelfTest = false
            course = (known(version)?.course(&random) ?? []).map { (now + .seconds($0.after), $0.1) }
        case .endObservation:
            observed = nil
            course = []
        case .report: break
        case .end(let end): note(end.id, end.state, end.reason)
        case .collect(let keeping):
            check(disk.current.map { keeping.contains($0) } ?? true, "what is current is collected")
            let good = disk.saved?.history.good.prefix(2).map(\.version) ?? []
            check(keeping.isSuperset(of: good), "a version to go back to is collected")
            disk.trees.formIntersection(keeping)
        }
        return true
    }

    private mutating func note(
        _ id: String, _ state: DeploymentRecord.State, _ reason: DeploymentReason?
    ) {
        check(state.isEnd, "\(id) ends as \(state)")
        open.removeAll { $0.id == id }
        guard Int(id.dropFirst()) != nil else { return }
        if let earlier = ends[id], earlier.reason?.code != .interrupted {
            // A disk that takes nothing may make a device tell the same story twice, with another reason.
            check(
                earlier.state == state || troubles.contains(.disk),
                "\(id) has ended as \(earlier.state), and now as \(state)")
        }
        ends[id] = (state, reason)
        guard state == .committed else { return }
        successes += 1
        let isOnDisk =
            disk.saved.map { ([DeploymentEnd(id: $0.record.id, $0.record.state, nil)] + $0.history.ends) } ?? []
        // One that was good already is no news.
        let wasGood = disk.saved?.history.good.contains { $0.version == disk.current } ?? false
        check(
            wasGood || isOnDisk.contains { $0.id == id && $0.state == .committed },
            "\(id) is told to be good before it is on disk")
    }

    /// What is called good has to have been well.
    private mutating func checkProof(_ record: DeploymentRecord) {
        check(disk.current == record.target, "\(record.target) counts as good and is not current")
        guard record.attempts > 0, let terms = record.terms else { return }
        let wellFor = wellSince.map { $0.duration(to: now) }
        check(wellFor.map { $0 >= terms.probation } ?? false, "\(record.target) was well for \(wellFor ?? .zero) only")
        check(suspendedAt == nil, "\(record.target) has proved itself while it was suspended")
        check(hasPassedSelfTest || terms.selfTestWithin == nil, "\(record.target) has not passed its self-test")
    }

    // MARK: Promises

    private mutating func checkAtRest() {
        guard faults.isEmpty else { return }
        if let current = disk.current { check(disk.trees.contains(current), "what is current is not on disk") }
        guard let record = machine.record, !record.state.isEnd else { return }
        check(work != nil || machine.deadline != nil || suspendedAt != nil, "stuck in \(record.state)")
    }

    private mutating func check(_ holds: Bool, _ broken: String) {
        guard !holds else { return }
        faults.append(broken)
        trace("BROKEN: \(broken)")
    }

    private func trace(_ text: @autoclosure () -> String) {
        guard isTraced else { return }
        print("\(now.nanoseconds / 1_000_000_000) s  \(text())")
    }
}

/// What is left after a power cut.
struct SimulatedDisk {
    var saved: (record: DeploymentRecord, history: VersionHistory)?
    var current: BundleVersion?
    var trees: Set<BundleVersion> = []
    var rotten: Set<BundleVersion> = []
    /// It takes no record.
    var isFailing = false
}
