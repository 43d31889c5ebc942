import MonotonicTime
import Supervision

/// Plays the kernel and the workers: performs the tree's actions and makes the events that follow, in virtual time.
///
/// What the shell promises holds here too: of one instance, `spawned` or `spawnFailed` comes before `exited`, and that
/// before `groupEmptied`. Everything may come late, and anything may come again.
struct World {
    /// What is still to come, by its due time.
    enum Coming {
        case event(Event)
        case step(InstanceID, ProcessStep)
        case stimulus(Stimulus)
    }

    let schedule: Schedule
    var queue = EventQueue<Coming>()
    var processes: [InstanceID: WorldProcess] = [:]
    /// Those of which something may be left, oldest first.
    var living: [WorldProcess] = []
    /// Set while there is no supervisor.
    var unsupervised: Unsupervised?
    private var ordinals: [String: Int] = [:]
    /// The keys of misbehaving spawns so far, for minimising.
    private(set) var faultySpawns: [SpawnOrdinal] = []
    var random: SimulationRandom
    let faultsEnd: MonotonicInstant

    init(schedule: Schedule, start: MonotonicInstant) {
        self.schedule = schedule
        random = SimulationRandom(seed: schedule.seed, stream: 3)
        faultsEnd = start.advanced(by: schedule.faultsEnd)
        for timed in schedule.stimuli {
            queue.insert(.stimulus(timed.stimulus), at: start.advanced(by: timed.offset))
        }
    }

    mutating func perform(_ action: Action, specification: (WorkerID) -> WorkerSpecification?, at now: MonotonicInstant)
    {
        switch action {
        case .spawn(let worker, let instance):
            if let specification = specification(worker) { spawn(worker, instance, specification, at: now) }
        case .signalGroup(_, let instance, let signal):
            if let process = processes[instance] { deliver(signal, to: process, at: now) }
        case .killGroup(_, let instance):
            if let process = processes[instance] { kill(process, at: now) }
        case .freezeGroup(_, let instance):
            processes[instance]?.isFrozen = true
        case .thawGroup(_, let instance):
            if let process = processes[instance] { thaw(process, at: now) }
        case .abandonGroup, .forgetWorker, .report, .completeShutdown:
            break
        }
    }

    private mutating func spawn(
        _ worker: WorkerID, _ instance: InstanceID, _ specification: WorkerSpecification, at now: MonotonicInstant
    ) {
        let ordinal = ordinals[specification.name, default: 0]
        ordinals[specification.name] = ordinal + 1
        let key = SpawnOrdinal(worker: specification.name, ordinal: ordinal)
        var sparing = schedule
        if now >= faultsEnd { sparing.faultRate = 0 }
        let behaviour = WorkerBehaviour(key, in: sparing, watchdog: specification.watchdog)
        if behaviour.isFaulty { faultySpawns.append(key) }
        let process = WorldProcess(worker: worker, specification, instance: instance, behaviour: behaviour)
        processes[instance] = process
        living.append(process)
        if let failure = behaviour.spawnFailure {
            schedule(.spawnFails(failure), of: process, after: behaviour.spawnTakes, at: now)
        } else {
            schedule(.executes, of: process, after: behaviour.spawnTakes, at: now)
        }
    }

    /// SIGCONT only wakes what a stop signal put to sleep; the freezer is undone by a thaw alone.
    private mutating func deliver(_ signal: Signal, to process: WorldProcess, at now: MonotonicInstant) {
        if signal == .continue || signal == .stop { return }
        if signal == .kill { return kill(process, at: now) }
        guard !process.isFrozen else { return process.pendingStop = true }
        stop(process, at: now)
    }

    private mutating func stop(_ process: WorldProcess, at now: MonotonicInstant) {
        guard !process.isStopping, process.stage != .ended, process.stage != .gone else { return }
        process.isStopping = true
        if let extra = process.behaviour.stopExtension {
            schedule(.says(.timeoutExtended(extra)), of: process, after: .milliseconds(1), at: now)
        }
        if let (after, status) = process.behaviour.stopEnds {
            schedule(.ends(status), of: process, after: after, at: now)
        }
    }

    private mutating func kill(_ process: WorldProcess, at now: MonotonicInstant) {
        guard !process.isKilled else { return }
        process.isKilled = true
        switch process.stage {
        case .ordered, .running:
            if let takes = process.behaviour.killTakes { schedule(.dies, of: process, after: takes, at: now) }
        case .ended:
            groupAfterKill(process, at: now)
        case .gone:
            break
        }
    }

    private mutating func groupAfterKill(_ process: WorldProcess, at now: MonotonicInstant) {
        switch process.behaviour.stragglers {
        case .none: schedule(.groupVanishes, of: process, after: .zero, at: now)
        case .untilKilled(let takes): schedule(.groupVanishes, of: process, after: takes, at: now)
        case .forever: break
        }
    }

    private mutating func thaw(_ process: WorldProcess, at now: MonotonicInstant) {
        guard process.isFrozen else { return }
        process.isFrozen = false
        let deferred = process.deferred
        process.deferred = []
        for step in deferred { schedule(step, of: process, after: latency(), at: now) }
        if process.pendingStop {
            process.pendingStop = false
            stop(process, at: now)
        }
    }

    // MARK: Steps of processes

    mutating func take(_ step: ProcessStep, of instance: InstanceID, at now: MonotonicInstant) {
        guard let process = processes[instance] else { return }
        switch step {
        case .dies: return end(process, .signaled(.kill, coreDumped: false), at: now)
        case .groupVanishes:
            process.stage = .gone
            return tell(.groupEmptied(process.worker, instance), of: process, at: now)
        case .failsProbe where process.stage == .running:
            // Also while it is frozen, and for a process that ends meanwhile.
            return tell(.notified(process.worker, instance, .unhealthy("no answer")), of: process, at: now)
        default: break
        }
        guard process.stage == .ordered || process.stage == .running else { return }
        guard !process.isFrozen else { return process.deferred.append(step) }
        switch step {
        case .executes: execute(process, at: now)
        case .spawnFails where process.isAdopted: end(process, .exited(code: 127), at: now)
        case .spawnFails(let failure):
            process.stage = .gone
            tell(.spawnFailed(process.worker, instance, failure), of: process, at: now)
        case .becomesReady: say(.ready, process, at: now)
        case .pings:
            say(.watchdogPing, process, at: now)
            schedulePing(process, at: now)
        case .passes(let checkpoint):
            guard !process.isStalled else { return }
            say(.checkpoint(process.checkpoints[checkpoint].name), process, at: now)
            scheduleCheckpoint(checkpoint, process, at: now)
        case .says(let notification): say(notification, process, at: now)
        case .hangs: if now < faultsEnd { process.isHung = true }
        case .stalls: if now < faultsEnd { process.isStalled = true }
        case .ends(let status): end(process, status, at: now)
        case .dies, .groupVanishes, .failsProbe: break
        }
    }

    private mutating func execute(_ process: WorldProcess, at now: MonotonicInstant) {
        process.stage = .running
        tell(.spawned(process.worker, process.instance), of: process, at: now)
        let behaviour = process.behaviour
        if let after = behaviour.readyAfter { schedule(.becomesReady, of: process, after: after, at: now) }
        schedulePing(process, at: now)
        for index in process.checkpoints.indices { scheduleCheckpoint(index, process, at: now) }
        if let (after, extra) = behaviour.startExtension {
            schedule(.says(.timeoutExtended(extra)), of: process, after: after, at: now)
        }
        if let (after, period) = behaviour.watchdogChange {
            schedule(.says(.watchdogPeriodChanged(period)), of: process, after: after, at: now)
        }
        if let after = behaviour.reloadsAfter {
            schedule(.says(.reloading), of: process, after: after, at: now)
            schedule(.becomesReady, of: process, after: after + .milliseconds(100), at: now)
        }
        live(behaviour.life, process, at: now)
    }

    private mutating func live(_ life: WorkerBehaviour.Life, _ process: WorldProcess, at now: MonotonicInstant) {
        // A fault that would come after the end of all faults does not come.
        func isTooLate(_ after: Duration) -> Bool { now.advanced(by: after) >= faultsEnd }
        switch life {
        case .lasts: break
        case .ends(let after, let status):
            if !isTooLate(after) { schedule(.ends(status), of: process, after: after, at: now) }
        case .hangs(let after):
            if !isTooLate(after) { schedule(.hangs, of: process, after: after, at: now) }
        case .stalls(let after):
            if !isTooLate(after) { schedule(.stalls, of: process, after: after, at: now) }
        case .failsProbe(let after):
            if !isTooLate(after) { schedule(.failsProbe, of: process, after: after, at: now) }
        case .triggersWatchdog(let after):
            if !isTooLate(after) { schedule(.says(.watchdogTriggered), of: process, after: after, at: now) }
        case .announcesStop(let after, let endsAfter, let status):
            if isTooLate(after) { return }
            schedule(.says(.stopping), of: process, after: after, at: now)
            if let endsAfter { schedule(.ends(status), of: process, after: after + endsAfter, at: now) }
        }
    }

    private mutating func say(_ notification: Notification, _ process: WorldProcess, at now: MonotonicInstant) {
        guard !process.isHung else { return }
        if case .watchdogPeriodChanged(let period) = notification { process.pingPeriod = period }
        tell(.notified(process.worker, process.instance, notification), of: process, at: now)
    }

    private mutating func schedulePing(_ process: WorldProcess, at now: MonotonicInstant) {
        guard let period = process.pingPeriod, !process.isHung else { return }
        // On a grid, never at the very same instant again.
        let pause = max(period * process.behaviour.pingPercent / 100, schedule.grid ?? .zero)
        schedule(.pings, of: process, after: pause, at: now)
    }

    private mutating func scheduleCheckpoint(_ index: Int, _ process: WorldProcess, at now: MonotonicInstant) {
        guard !process.isHung else { return }
        let longest = process.checkpoints[index].longest
        let pause = max(longest * process.behaviour.pingPercent / 100, schedule.grid ?? .zero)
        schedule(.passes(checkpoint: index), of: process, after: pause, at: now)
    }

    private mutating func end(_ process: WorldProcess, _ status: ExitStatus, at now: MonotonicInstant) {
        guard process.stage == .ordered || process.stage == .running else { return }
        // Killed before its program ran: the shell finds no exec error, so it reports the spawn, then the end.
        if process.stage == .ordered { tell(.spawned(process.worker, process.instance), of: process, at: now) }
        process.stage = .ended
        process.exit = status
        tell(.exited(process.worker, process.instance, status), of: process, at: now)
        if process.isKilled {
            groupAfterKill(process, at: now)
        } else if case .none = process.behaviour.stragglers, random.chance(50) {
            schedule(.groupVanishes, of: process, after: latency(), at: now)
        }
    }

    // MARK: Delivery

    mutating func schedule(
        _ step: ProcessStep, of process: WorldProcess, after: Duration, at now: MonotonicInstant
    ) {
        queue.insert(.step(process.instance, step), at: aligned(now.advanced(by: after), notBefore: now))
    }

    private func aligned(_ due: MonotonicInstant, notBefore now: MonotonicInstant) -> MonotonicInstant {
        guard let grid = schedule.grid?.wholeNanoseconds else { return due }
        let rounded = due.nanoseconds / grid * grid
        return max(now, MonotonicInstant(nanoseconds: rounded))
    }

    /// Puts the event on its way; one in twenty comes again later.
    mutating func tell(_ event: Event, of process: WorldProcess, at now: MonotonicInstant) {
        guard unsupervised == nil else { return miss(event) }
        guard !process.isUnknown else { return }
        let arrival = max(process.lastDelivery, aligned(now.advanced(by: latency()), notBefore: now))
        process.lastDelivery = arrival
        queue.insert(.event(event), at: arrival)
        if now < faultsEnd, random.chance(5) {
            queue.insert(.event(event), at: arrival.advanced(by: random.milliseconds(0...3_000)))
        }
    }

    mutating func latency() -> Duration {
        random.chance(95) ? .microseconds(random.below(800)) : random.milliseconds(1...100)
    }
}
