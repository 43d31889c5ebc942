import Supervision

/// Makes random trees with short times and small allowances, so that a few hundred events reach every corner: windows
/// that overflow, attempts that run out, gates that block.
struct TreeGenerator {
    var random: SimulationRandom
    /// Round durations to this many milliseconds.
    let gridMilliseconds: Int
    private var workerCount = 0
    private var supervisorCount = 0
    /// Keeps a run to a few hundred events.
    private let workerLimit = 7

    init(random: SimulationRandom, gridMilliseconds: Int) {
        self.random = random
        self.gridMilliseconds = gridMilliseconds
    }

    mutating func tree() -> SupervisorSpecification {
        var root = SupervisorSpecification(
            name: SupervisorSpecification.rootName,
            intensity: intensity(scope: random.chance(70) ? .perChild : .shared),
            onIntensityExceeded: .park(retryAfter: retry()))
        if root.intensity.scope == .shared { root.strategy = random.pick(RestartStrategy.allCases) }
        root.children = children(depth: 1, count: random.number(in: 1...4))
        if workerCount == 0 { root.children.append(.worker(worker())) }
        return root
    }

    mutating func children(depth: Int, count: Int) -> [ChildSpecification] {
        var made: [ChildSpecification] = []
        for _ in 0..<count where workerCount < workerLimit {
            if depth < 4, random.chance(depth == 1 ? 50 : 30) {
                made.append(.supervisor(supervisor(depth: depth)))
            } else {
                made.append(.worker(worker()))
            }
        }
        return made
    }

    mutating func supervisor(depth: Int) -> SupervisorSpecification {
        supervisorCount += 1
        var made = SupervisorSpecification(
            name: "s\(supervisorCount)", strategy: random.pick(RestartStrategy.allCases),
            intensity: intensity(scope: .shared), onIntensityExceeded: .park(retryAfter: retry()))
        if random.chance(50) { made.onIntensityExceeded = .escalate }
        if random.chance(10) {
            made.strategy = .oneForOne
            made.intensity.scope = .perChild
            made.onIntensityExceeded = .park(retryAfter: retry())
        }
        made.children = children(depth: depth + 1, count: random.number(in: random.chance(5) ? 0...1 : 1...4))
        return made
    }

    mutating func worker() -> WorkerSpecification {
        workerCount += 1
        var made = WorkerSpecification(name: "w\(workerCount)")
        made.restart = random.pick([.always, .always, .always, .onFailure, .onFailure, .never])
        made.isEssential = random.chance(30)
        made.readiness = random.pick(Readiness.allCases)
        made.startGate = random.pick(StartGate.allCases)
        made.startTimeout = time(1500...5000)
        made.watchdog = random.chance(55) ? time(2000...7000) : nil
        made.checkpoints = checkpoints()
        made.watchdogSignal = random.pick([.abort, .abort, .quit, .terminate, .kill])
        made.backoff = backoff()
        made.attempts = attempts()
        made.stopPlan = stopPlan()
        made.startsAutomatically = random.chance(92)
        made.launch = LaunchFingerprint("1")
        return made
    }

    mutating func checkpoints() -> [String: Duration] {
        var made: [String: Duration] = [:]
        for name in ["frame", "upload"] where random.chance(30) { made[name] = time(2000...7000) }
        return made
    }

    mutating func backoff() -> Backoff {
        Backoff(
            initial: time(100...800), maximum: time(800...4000), jitter: random.pick([0, 0.2, 0.5, 1]),
            stableAfter: time(1000...6000))
    }

    mutating func attempts() -> AttemptLimit {
        AttemptLimit(maximum: random.chance(50) ? random.number(in: 0...4) : nil, retryAfterGivingUp: retry())
    }

    mutating func stopPlan() -> StopPlan {
        var steps: [StopPlan.Step] = []
        for _ in 0..<random.pick([0, 1, 1, 1, 2, 3]) {
            steps.append(
                StopPlan.Step(
                    signal: random.pick([.terminate, .terminate, .interrupt, .hangUp, .quit]), grace: time(200...2000)))
        }
        return StopPlan(steps: steps, killGrace: time(500...2000))
    }

    mutating func intensity(scope: RestartIntensity.Scope) -> RestartIntensity {
        RestartIntensity(maxRestarts: random.number(in: 0...4), within: time(2000...20000), scope: scope)
    }

    mutating func retry() -> Duration? { random.chance(85) ? time(3000...15000) : nil }

    /// A duration of whole grid steps, at least one.
    mutating func time(_ milliseconds: ClosedRange<Int>) -> Duration {
        let drawn = random.number(in: milliseconds)
        return .milliseconds(max(gridMilliseconds, drawn / gridMilliseconds * gridMilliseconds))
    }
}
