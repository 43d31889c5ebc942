import Supervision

/// What one process will do in its life, fixed at its birth.
struct WorkerBehaviour {
    /// From the order to the process running its program, or to the failure.
    var spawnTakes: Duration = .milliseconds(2)
    var spawnFailure: SpawnFailure?
    /// From the program's start to READY=1; `nil` for never.
    var readyAfter: Duration? = .milliseconds(50)
    var life = Life.lasts
    /// EXTEND_TIMEOUT_USEC while starting: when, and how long.
    var startExtension: (after: Duration, by: Duration)?
    /// EXTEND_TIMEOUT_USEC on a stop signal.
    var stopExtension: Duration?
    /// WATCHDOG_USEC sent by the worker: when, and how long.
    var watchdogChange: (after: Duration, period: Duration)?
    /// RELOADING=1 and then READY=1 again.
    var reloadsAfter: Duration?
    /// How long it takes to end after a stop signal, and how; `nil` when it ignores the signal.
    var stopEnds: (after: Duration, status: ExitStatus)? = (.milliseconds(5), .exited(code: 0))
    /// How long a kill takes; `nil` when the process hangs in an uninterruptible call.
    var killTakes: Duration? = .milliseconds(1)
    /// What other processes of the group do once the main process has ended.
    var stragglers = Stragglers.none
    /// Whether the worker sends pings at all and how much of the period it lets pass, in percent.
    var pingPercent = 50

    enum Life {
        case lasts
        case ends(after: Duration, ExitStatus)
        /// Alive, but says nothing any more.
        case hangs(after: Duration)
        /// Comes past none of its checkpoints any more.
        case stalls(after: Duration)
        /// Its probes find it unhealthy.
        case failsProbe(after: Duration)
        /// WATCHDOG=trigger.
        case triggersWatchdog(after: Duration)
        /// STOPPING=1, then the end, or not.
        case announcesStop(after: Duration, endsAfter: Duration?, ExitStatus)
    }

    enum Stragglers {
        case none
        /// Gone so long after the kill.
        case untilKilled(Duration)
        /// In an uninterruptible call.
        case forever
    }

    /// Whether anything about the process is out of order.
    var isFaulty = false

    /// The behaviour of the given process of a worker in a schedule.
    init(_ key: SpawnOrdinal, in schedule: Schedule, watchdog: Duration?) {
        var random = SimulationRandom(
            seed: schedule.seed,
            stream: SimulationRandom.digest(of: key.worker) &+ UInt64(key.ordinal) &* 0x1_0000_0001)
        spawnTakes = random.milliseconds(0...20)
        readyAfter = random.milliseconds(0...400)
        pingPercent = random.number(in: 40...90)
        stopEnds = (random.milliseconds(0...60), .signaled(.terminate, coreDumped: false))
        guard random.chance(schedule.faultRate), !schedule.spared.contains(key) else { return }
        isFaulty = true
        for _ in 0..<random.number(in: 1...2) { addFault(&random, watchdog: watchdog) }
    }

    private mutating func addFault(_ random: inout SimulationRandom, watchdog: Duration?) {
        switch random.below(18) {
        case 0:
            spawnFailure = random.pick([
                SpawnFailure(step: "exec", errno: 2), SpawnFailure(step: "clone", errno: 11),
                SpawnFailure(step: "chdir", errno: 13),
            ])
        case 1: readyAfter = random.milliseconds(400...6_000)
        case 2: readyAfter = nil
        case 3, 4, 5: life = .ends(after: random.milliseconds(0...600), Self.status(&random))
        case 6, 7: life = .ends(after: random.milliseconds(600...15_000), Self.status(&random))
        case 8: life = .hangs(after: random.milliseconds(0...6_000))
        case 9: life = .triggersWatchdog(after: random.milliseconds(0...6_000))
        case 10:
            life = .announcesStop(
                after: random.milliseconds(0...5_000),
                endsAfter: random.chance(60) ? random.milliseconds(0...3_000) : nil, Self.status(&random))
        case 11: life = .stalls(after: random.milliseconds(0...6_000))
        case 12: life = .failsProbe(after: random.milliseconds(0...6_000))
        case 13: stopEnds = nil
        case 14: stopEnds = (random.milliseconds(0...3_000), Self.status(&random))
        case 15: stragglers = random.chance(75) ? .untilKilled(random.milliseconds(1...1_500)) : .forever
        case 16:
            killTakes = random.chance(60) ? random.milliseconds(1...2_500) : nil
            if random.chance(50) { stopEnds = nil }
        default:
            if random.chance(50) { spawnTakes = random.milliseconds(20...4_000) }
            startExtension = (random.milliseconds(0...2_000), random.milliseconds(500...4_000))
            if random.chance(50) { stopExtension = random.milliseconds(100...3_000) }
            if random.chance(50) { reloadsAfter = random.milliseconds(0...4_000) }
            if watchdog != nil, random.chance(50) {
                watchdogChange = (random.milliseconds(0...3_000), random.milliseconds(1_000...8_000))
            }
        }
    }

    private static func status(_ random: inout SimulationRandom) -> ExitStatus {
        random.pick([
            .exited(code: 0), .exited(code: 0), .exited(code: 1), .exited(code: 143),
            .signaled(Signal(rawValue: 11), coreDumped: true), .signaled(.kill, coreDumped: false), .unknown,
        ])
    }
}
