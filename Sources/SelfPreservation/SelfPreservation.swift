package import MonotonicTime

/// Decides from what is measured how far a device has to go to protect itself: which workers are paused, when they come
/// back, and whether the others get less. Pure: events go in, actions come out, time is an argument.
///
/// Each cause has its own level and its own list of shed workers, and neither knows of the other's: who is shed for heat
/// and for memory runs again when both have let him go.
package struct SelfPreservation: Sendable {
    private(set) var policy: PreservationPolicy
    let startedAt: MonotonicInstant
    private(set) var thermometers: [String: Thermometer] = [:]
    private(set) var gauges: [Quantity: Gauge] = [:]
    private var workers: [SheddableWorker] = []
    private(set) var sheddings: [Cause: Shedding]
    private(set) var isThrottled = false
    private(set) var isBlind = false
    private(set) var now: MonotonicInstant
    private var actions: [Action] = []

    struct Gauge: Sendable {
        var ladder: Ladder
        var value: Double
        var heardAt: MonotonicInstant
    }

    /// What one cause has done.
    struct Shedding: Sendable {
        var level = Level.normal
        /// In the order in which they went.
        var shed: [String] = []
        /// When one went or came back last, and how bad it was then.
        var lastStep: (at: MonotonicInstant, strain: Double)?
        /// Whether the last step brought one back.
        var isRestoring = false
    }

    /// - Parameter shed: who is paused already, and for what: by a monitor before this one.
    package init(_ policy: PreservationPolicy, shed: [Cause: [String]] = [:], at now: MonotonicInstant) {
        self.policy = policy
        self.now = now
        startedAt = now
        sheddings = Dictionary(uniqueKeysWithValues: Cause.allCases.map { ($0, Shedding(shed: shed[$0] ?? [])) })
    }

    /// Applies one event and returns what to do about it, in order.
    package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Action] {
        self.now = max(now, self.now)
        switch event {
        case .temperature(let sensor, let celsius, let limit): take(celsius, limit, from: sensor)
        case .sensorFound(let sensor): find(sensor)
        case .sensorIgnored(let sensor): thermometers[sensor] = nil
        case .measured(let quantity, let value): take(value, of: quantity)
        case .workersChanged(let workers): take(workers)
        case .policyChanged(let policy): take(policy)
        case .deadlineReached: break
        }
        for sensor in thermometers.keys.sorted() {
            guard let verdict = thermometers[sensor]?.wait(policy, at: self.now) else { continue }
            report(verdict, of: sensor)
        }
        settle()
        defer { actions = [] }
        return actions
    }

    /// When time alone changes something.
    package var nextDeadline: MonotonicInstant? {
        var deadlines: [MonotonicInstant] = []
        for thermometer in thermometers.values {
            deadlines += [thermometer.heardAt + policy.sensorTimeout, thermometer.heardAt + lostAfter]
        }
        for gauge in gauges.values where gauge.ladder.level > .normal { deadlines.append(gauge.heardAt + lostAfter) }
        for (cause, shedding) in sheddings {
            guard let lastStep = shedding.lastStep else { continue }
            if shedding.level == .shed, nextToGo(for: cause) != nil {
                deadlines.append(lastStep.at + policy.shedInterval)
            }
            if shedding.level < .shed, !shedding.shed.isEmpty { deadlines.append(lastStep.at + policy.restoreInterval) }
        }
        if Cause.allCases.contains(where: resumes) { deadlines.append(startedAt + policy.blindHold) }
        return deadlines.filter { $0 > now }.min()
    }

    // MARK: Events

    private mutating func take(_ celsius: Double, _ limit: Double?, from sensor: String) {
        var thermometer = thermometers[sensor] ?? makeThermometer()
        let verdict = thermometer.take(celsius, limit: limit, by: policy, at: now)
        thermometers[sensor] = thermometer
        report(verdict, of: sensor)
    }

    private mutating func find(_ sensor: String) {
        if thermometers[sensor] == nil { thermometers[sensor] = makeThermometer() }
    }

    private func makeThermometer() -> Thermometer {
        Thermometer(policy, isResuming: resumes(.heat), at: now)
    }

    /// Whether somebody before us has shed work for it, and not everything is known yet.
    private func resumes(_ cause: Cause) -> Bool {
        sheddings[cause]?.shed.isEmpty == false && !mayRestore(cause)
    }

    /// Without a measurement of everything there is nobody comes back, for somebody before us may have known why. But not
    /// for ever.
    func mayRestore(_ cause: Cause) -> Bool {
        if startedAt.duration(to: now) >= policy.blindHold { return true }
        guard cause == .heat else {
            return policy.quantities.keys.allSatisfy { $0.cause != cause || gauges[$0] != nil }
        }
        return thermometers.values.contains { $0.value != nil }
            && thermometers.values.allSatisfy { $0.value != nil || $0.fault != nil }
    }

    private mutating func report(_ verdict: Thermometer.Verdict, of sensor: String) {
        switch verdict {
        case .believed, .stillFaulty: break
        case .faulty(let fault): actions.append(.sensorFailed(sensor, fault))
        case .recovered: actions.append(.sensorRecovered(sensor))
        }
    }

    private mutating func take(_ value: Double, of quantity: Quantity) {
        guard let ladder = policy.quantities[quantity], !value.isNaN else { return }
        var gauge = gauges[quantity] ?? Gauge(ladder: Ladder(ladder), value: value, heardAt: now)
        if gauges[quantity] == nil, resumes(quantity.cause) { gauge.ladder.resume(at: value) }
        gauge.value = value
        gauge.heardAt = now
        gauge.ladder.take(value, at: now)
        gauges[quantity] = gauge
    }

    private mutating func take(_ workers: [SheddableWorker]) {
        self.workers = workers
        let names = Set(workers.map(\.name))
        // Who is gone, or has become essential, is no longer ours to bring back.
        for cause in Cause.allCases { sheddings[cause]?.shed.removeAll { !names.contains($0) } }
    }

    private mutating func take(_ policy: PreservationPolicy) {
        for sensor in thermometers.keys { thermometers[sensor]?.adopt(policy, insteadOf: self.policy) }
        self.policy = policy
        gauges = gauges.filter { policy.quantities[$0.key] != nil }
        for (quantity, ladder) in policy.quantities { gauges[quantity]?.ladder.policy = ladder }
    }

    // MARK: Decisions

    private mutating func settle() {
        noteBlindness()
        for cause in Cause.allCases {
            let (level, former) = (level(of: cause), sheddings[cause]?.level ?? .normal)
            if level != former {
                sheddings[cause]?.level = level
                actions.append(.levelChanged(cause, from: former, to: level))
            }
            advance(cause, hasRisen: level > former)
        }
        let throttles = level >= .throttle
        if throttles != isThrottled {
            isThrottled = throttles
            actions.append(.throttle(throttles))
        }
    }

    private mutating func noteBlindness() {
        let blind = !thermometers.isEmpty && thermometers.values.allSatisfy { $0.fault != nil }
        guard blind != isBlind else { return }
        isBlind = blind
        if blind { actions.append(.allSensorsLost) }
    }

    private mutating func advance(_ cause: Cause, hasRisen: Bool) {
        guard let shedding = sheddings[cause] else { return }
        let sinceStep = shedding.lastStep.map { $0.at.duration(to: now) }
        switch shedding.level {
        case .critical:
            for worker in order where !shedding.shed.contains(worker) { shed(worker, for: cause) }
        case .shed:
            // Where it stays between the thresholds, who is shed is enough.
            let strain = strain(of: cause)
            let suffices = strain < 1 || (shedding.lastStep.map { strain < $0.strain } ?? false)
            let waits = sinceStep.map { $0 < policy.shedInterval } ?? false
            if shedding.lastStep == nil, !shedding.shed.isEmpty {
                // What a monitor before this one has shed may be enough.
                noteStep(of: cause)
            } else if hasRisen || !waits && !suffices, let worker = nextToGo(for: cause) {
                shed(worker, for: cause)
            } else if !waits {
                // It helps: look again after another interval, from where it is now.
                noteStep(of: cause)
            }
        case .normal, .throttle:
            restoreNext(cause, shedding, sinceStep)
        }
    }

    private mutating func shed(_ worker: String, for cause: Cause) {
        sheddings[cause]?.shed.append(worker)
        sheddings[cause]?.isRestoring = false
        noteStep(of: cause)
        actions.append(.shed(worker, cause))
    }

    private mutating func restoreNext(_ cause: Cause, _ shedding: Shedding, _ sinceStep: Duration?) {
        guard let worker = shedding.shed.last else { return }
        guard mayRestore(cause) else { return }
        if shedding.isRestoring, let sinceStep, sinceStep < policy.restoreInterval { return }
        sheddings[cause]?.shed.removeLast()
        sheddings[cause]?.isRestoring = true
        noteStep(of: cause)
        actions.append(.restore(worker, cause))
    }

    private mutating func noteStep(of cause: Cause) {
        let strain = strain(of: cause)
        sheddings[cause]?.lastStep = (now, strain)
    }

    /// Who is shed first comes first.
    private var order: [String] {
        workers.enumerated().sorted { left, right in
            if left.element.order != right.element.order { return left.element.order < right.element.order }
            if left.element.use != right.element.use { return left.element.use > right.element.use }
            return left.offset > right.offset
        }.map(\.element.name)
    }

    /// Who runs and would be the next to be paused: pausing whom another cause has paused helps nobody.
    func nextToGo(for cause: Cause) -> String? {
        let paused = Set(sheddings.values.flatMap(\.shed))
        return order.first { !paused.contains($0) }
    }

    // MARK: Measurements

    /// The worst that any cause asks for.
    package var level: Level { sheddings.values.map(\.level).max() ?? .normal }

    private func level(of cause: Cause) -> Level {
        // What is measured for as long as it is bad, and is not any more, says nothing of now.
        let heardGauges = gauges.filter { $0.key.cause == cause && $0.value.heardAt.duration(to: now) < lostAfter }
        let asked = heardGauges.map(\.value.ladder.level)
        guard cause == .heat else { return asked.max() ?? .normal }
        if isForsaken { return policy.blindLevel }
        return heardThermometers.map(\.ladder.level).max() ?? .normal
    }

    private var heardThermometers: [Thermometer] {
        thermometers.values.filter { $0.fault == nil || $0.heardAt.duration(to: now) < lostAfter }
    }

    /// There are sensors, and the last level of the last of them holds no longer.
    private var isForsaken: Bool { !thermometers.isEmpty && heardThermometers.isEmpty }

    /// A lost sensor's level holds until then.
    private var lostAfter: Duration { policy.sensorTimeout + policy.blindHold }

    /// How bad it is: 0 where shedding would end, 1 where it begins, for the worst that is measured.
    func strain(of cause: Cause) -> Double {
        var strains = gauges.filter { $0.key.cause == cause }.map { $0.value.ladder.strain(of: $0.value.value) }
        if cause == .heat { strains = thermometers.values.compactMap(\.strain) }
        // Nobody knows whether it helps, so as many go as were declared to.
        if cause == .heat, isForsaken { return policy.blindLevel >= .shed ? 1 : 0 }
        return strains.max() ?? 0
    }
}
