import MonotonicTime
import Supervision

/// One run of one schedule: tree, world and observer together, in virtual time.
package final class Simulation {
    package struct Outcome: Sendable {
        package var violation: Violation?
        /// Events that the tree handled.
        package var steps: Int
        /// Virtual time from the start to the last event.
        package var duration: Duration
        /// The spawns that misbehaved, for minimising.
        package var faultySpawns: [SpawnOrdinal]
        /// How often the supervisor died.
        package var deaths: Int
    }

    /// Receives everything that happens to the tree, for a trace.
    package typealias Witness = (TraceEntry) -> Void

    let schedule: Schedule
    let witness: Witness?
    var tree: SupervisorTree
    var world: World
    var observer: Observer
    private var random: SimulationRandom
    var status: TreeStatus
    var now: MonotonicInstant
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    private var steps = 0
    var violation: Violation?
    var history: [Event] = []
    var stallEnd = MonotonicInstant.zero
    var heldBack: [World.Coming] = []
    private var lateness = Duration.zero
    private var hasLiftedPauses = false
    private var restSince: MonotonicInstant?
    private var isEndingByShutdown = false
    var survival: Survival

    /// Far beyond any run that converges.
    private static let stepLimit = 20_000
    private static let convergenceLimit = Duration.seconds(400)
    /// Rest has to last so long: longer than any stability time, so that the last timers are over.
    private static let restTime = Duration.seconds(7)

    package init(_ schedule: Schedule, witness: Witness? = nil) {
        self.schedule = schedule
        self.witness = witness
        tree = SupervisorTree(schedule.tree, seed: schedule.seed)
        world = World(schedule: schedule, start: start)
        random = SimulationRandom(seed: schedule.seed, stream: 4)
        now = start.advanced(by: .seconds(-1))
        status = tree.status(at: now)
        observer = Observer(schedule.tree, status: status)
        survival = Survival(schedule)
        world.queue.insert(.event(.started), at: start)
    }

    package func run() -> Outcome {
        while violation == nil, advance() {}
        return Outcome(
            violation: violation, steps: steps, duration: start.duration(to: now), faultySpawns: world.faultySpawns,
            deaths: survival.deaths)
    }

    // MARK: Time

    /// Does the next thing; false when the run is over.
    private func advance() -> Bool {
        if let absence = survival.absence {
            pass(absence)
            return true
        }
        if now >= world.faultsEnd {
            survival.impending = nil
            // A stalled shell has not been told yet of what came before.
            if !isStalled, !isUnderWay() { return false }
        }
        let coming = world.queue.first?.due
        let deadline = tree.nextDeadline.map { max($0.advanced(by: lateness), now, stallEnd) }
        if isStalled, coming.map({ $0 >= stallEnd }) ?? true {
            wakeUp { endStall() }
            return true
        }
        if let deadline, coming.map({ deadline < $0 || (deadline == $0 && random.chance(50)) }) ?? true {
            now = deadline
            wakeUp { handle(.deadlineReached) }
            lateness = random.chance(70) ? .zero : .microseconds(random.below(3_000))
            return true
        }
        guard let entry = world.queue.popFirst() else { return endOfEvents() }
        if case .stimulus(.death(let death)) = entry.payload {
            now = max(now, entry.due)
            meet(death)
        } else if entry.due < stallEnd {
            if case .step(let instance, let step) = entry.payload {
                world.take(step, of: instance, at: entry.due)
            } else {
                heldBack.append(entry.payload)
            }
        } else {
            now = max(now, entry.due)
            wakeUp { take(entry.payload) }
        }
        return true
    }

    private var isStalled: Bool { !heldBack.isEmpty || stallEnd > now }

    /// The shell runs again: everything that fell due meanwhile comes at once, the deadline first or last.
    private func endStall() {
        now = max(now, stallEnd)
        stallEnd = .zero
        let late = heldBack
        heldBack = []
        let isDeadlineFirst = random.chance(50)
        if isDeadlineFirst, let deadline = tree.nextDeadline, deadline <= now { handle(.deadlineReached) }
        for coming in late where violation == nil { take(coming) }
    }

    /// Nothing will ever happen again.
    private func endOfEvents() -> Bool {
        if now < world.faultsEnd {
            now = world.faultsEnd
            return true
        }
        restSince = now.advanced(by: .zero - Self.restTime)
        return isUnderWay()
    }

    func take(_ coming: World.Coming) {
        // In a wake-up that was cut short: the rest of it finds nobody.
        guard survival.absence == nil else { return takeUnsupervised(coming) }
        switch coming {
        case .event(let event): handle(event)
        case .step(let instance, let step): world.take(step, of: instance, at: now)
        case .stimulus(let stimulus): take(stimulus)
        }
    }

    private func take(_ stimulus: Stimulus) {
        switch stimulus {
        case .operatorRequest(let name, let request):
            if let worker = tree.worker(named: name) { handle(.operatorRequested(worker, request)) }
        case .pause(let name, let reason):
            if let worker = tree.worker(named: name) { handle(.pauseRequested(worker, reason)) }
        case .resume(let name, let reason):
            if let worker = tree.worker(named: name) { handle(.resumeRequested(worker, reason)) }
        case .reload(let specification):
            survival.configuration = specification
            handle(.reloaded(specification))
        case .shutdown: handle(.shutdownRequested)
        case .stall(let length): stallEnd = max(stallEnd, now.advanced(by: length))
        case .earlyDeadline: handle(.deadlineReached)
        case .repeatedEvent(let number):
            if !history.isEmpty { handle(history[Int(number % UInt64(history.count))]) }
        case .strayEvent(let number): handle(strayEvent(number))
        case .death(let death): meet(death)
        }
    }

    private func strayEvent(_ number: UInt64) -> Event {
        let known = status.workers.isEmpty || number % 2 == 0
        let worker = known ? WorkerID(rawValue: 4711) : status.workers[Int(number / 2) % status.workers.count].id
        let instance = InstanceID(rawValue: .max - number % 7)
        switch number / 16 % 5 {
        case 0: return .spawned(worker, instance)
        case 1: return .spawnFailed(worker, instance, SpawnFailure(step: "exec", errno: 2))
        case 2: return .exited(worker, instance, .exited(code: 1))
        case 3: return .groupEmptied(worker, instance)
        default: return .notified(worker, instance, .ready)
        }
    }

    // MARK: One event

    func handle(_ event: Event) {
        guard violation == nil, survival.absence == nil else { return }
        steps += 1
        let before = status
        let actions = tree.handle(event, at: now)
        status = tree.status(at: now)
        let observation = Observation(
            now: now, event: event, actions: actions, status: status, nextDeadline: tree.nextDeadline)
        follow(.step(observation, before: before))
        perform(actions)
        remember(event)
        if steps > Self.stepLimit {
            violation = violation ?? Violation(invariant: .convergence, explanation: "more than \(steps) events")
        }
    }

    /// Only what tells of processes may come twice; a request that comes twice is two requests.
    private func remember(_ event: Event) {
        switch event {
        case .spawned, .spawnFailed, .exited, .groupEmptied: history.append(event)
        default: break
        }
    }

    // MARK: The end

    /// After the time of faults: false once the tree has come to rest and stayed there, or has failed to.
    private func isUnderWay() -> Bool {
        if !hasLiftedPauses {
            hasLiftedPauses = true
            if schedule.liftsPausesAtEnd { wakeUp { liftPauses() } }
            return true
        }
        guard let unrest = observer.unrest(status) else { return continuesAtRest() }
        restSince = nil
        let isTooLong = world.faultsEnd.duration(to: now) > Self.convergenceLimit
        if isTooLong || (world.queue.count == 0 && tree.nextDeadline == nil) {
            violation = Violation(
                invariant: .convergence, explanation: "all faults have ceased, but \(unrest)")
            return false
        }
        return true
    }

    private func continuesAtRest() -> Bool {
        let since = restSince ?? now
        restSince = since
        guard since.duration(to: now) >= Self.restTime else {
            // Nothing else to come: rest is as good as over.
            return world.queue.count > 0 || tree.nextDeadline != nil
        }
        if isEndingByShutdown || observer.isShuttingDown { return false }
        // After a stall the tree may not have been told yet of a deadline that passed meanwhile: rest comes after it.
        if let deadline = tree.nextDeadline, deadline <= now { return true }
        observer.checkIdle()
        violation = observer.violation
        guard schedule.shutsDownAtEnd, violation == nil else { return false }
        isEndingByShutdown = true
        restSince = nil
        wakeUp { handle(.shutdownRequested) }
        return true
    }

    private func liftPauses() {
        for worker in status.workers {
            for reason in worker.pauseReasons { handle(.resumeRequested(worker.id, reason)) }
        }
    }
}
