import MonotonicTime
import SelfPreservation
import Supervision

/// A supervisor tree whose workers are shed and restored by the core, in virtual time. Every worker has a watchdog of a
/// second and pings it twice a second while its processes may run; nothing that is not in the rules can hang.
struct DeviceTree {
    private static let step: Duration = .milliseconds(500)
    private static let watchdog: Duration = .seconds(1)
    private static let essential: Set<String> = ["control", "alarm"]
    /// How much warmer each makes the device, in degrees.
    private static let heat: [(name: String, celsius: Double)] = [
        ("control", 4), ("camera", 7), ("vision", 12), ("alarm", 1), ("upload", 5), ("training", 14),
    ]

    private var tree: SupervisorTree
    private var core: SelfPreservation
    private let policy: PreservationPolicy
    private(set) var now = MonotonicInstant.zero
    /// Of the processor, in degrees Celsius.
    private(set) var celsius = 40.0
    private var isThrottled = false
    private var frozen: Set<InstanceID> = []
    private(set) var transitions = 0
    private(set) var sheddings = 0
    private(set) var highest = 0.0
    /// What must never happen.
    private(set) var faults: [String] = []

    init(_ policy: PreservationPolicy = Trace.policy) {
        self.policy = policy
        let workers = Self.heat.map { worker in
            ChildSpecification.worker(
                WorkerSpecification(
                    name: worker.name, isEssential: Self.essential.contains(worker.name), watchdog: Self.watchdog))
        }
        tree = SupervisorTree(
            SupervisorSpecification(name: SupervisorSpecification.rootName, children: workers), seed: 1)
        core = SelfPreservation(policy, at: .zero)
        deliver(.started)
        introduceWorkers()
    }

    var level: Level { core.level }

    private var workers: [WorkerStatus] { tree.status(at: now).workers }

    /// Names of those whose processes stand still.
    var paused: [String] { workers.filter { $0.state == .paused }.map(\.name) }
    var unready: [String] { workers.filter { !$0.isReady || $0.state == .paused }.map(\.name) }

    /// Half a second passes.
    /// - Parameters:
    ///   - ambient: how warm the device would be without any work, in degrees Celsius.
    ///   - reading: what the sensor says of a temperature; `nil` when it says nothing.
    mutating func pass(ambient: Double, reading: (Double) -> Double?) {
        now = now + Self.step
        let running = workers.filter { $0.instance.map { !frozen.contains($0) } ?? false }.map(\.name)
        let load = Self.heat.filter { running.contains($0.name) }.reduce(0) { $0 + $1.celsius }
        celsius += (ambient + load * (isThrottled ? 0.7 : 1) - celsius) / 60
        highest = max(highest, celsius)
        for worker in workers {
            guard let instance = worker.instance, !frozen.contains(instance) else { continue }
            deliver(.notified(worker.id, instance, .watchdogPing))
        }
        if let deadline = tree.nextDeadline, deadline <= now { deliver(.deadlineReached) }
        // Once a second, as the monitor does.
        guard now.nanoseconds % 1_000_000_000 == 0 else { return }
        if let reading = reading(celsius) {
            send(.temperature(sensor: "cpu", celsius: reading, limit: nil))
        } else {
            send(.deadlineReached)
        }
    }

    /// The monitor is replaced: all that its successor knows is who is paused, and for what.
    mutating func replaceMonitor() {
        var shed: [Cause: [String]] = [:]
        for worker in workers {
            for cause in worker.pauseReasons.compactMap({ Cause(rawValue: $0.rawValue) }) {
                shed[cause, default: []].append(worker.name)
            }
        }
        core = SelfPreservation(policy, shed: shed, at: now)
        introduceWorkers()
    }

    /// Nothing runs for a while, the monitor least of all: a machine that was stopped.
    mutating func sleep(_ duration: Duration) {
        now = now + duration
        // The monotonic clock stands still meanwhile, for the workers as for their watchdogs; the monitor's own may not.
        for worker in workers {
            guard let instance = worker.instance, !frozen.contains(instance) else { continue }
            deliver(.notified(worker.id, instance, .watchdogPing))
        }
    }

    // MARK: Core

    private mutating func introduceWorkers() {
        let heat = Dictionary(uniqueKeysWithValues: Self.heat.map { ($0.name, $0.celsius) })
        send(
            .workersChanged(
                workers.filter { !$0.isEssential }.map {
                    SheddableWorker(name: $0.name, order: 0, use: heat[$0.name] ?? 0)
                }))
    }

    private mutating func send(_ event: PreservationEvent) {
        for action in core.handle(event, at: now) { perform(action) }
    }

    private mutating func perform(_ action: PreservationAction) {
        switch action {
        case .shed(let name, let cause):
            guard let worker = tree.worker(named: name), let reason = PauseReason(rawValue: cause.rawValue) else {
                return faults.append("\(name) cannot be paused for \(cause)")
            }
            sheddings += 1
            deliver(.pauseRequested(worker, reason))
        case .restore(let name, let cause):
            guard let worker = tree.worker(named: name), let reason = PauseReason(rawValue: cause.rawValue) else {
                return faults.append("\(name) cannot be resumed from \(cause)")
            }
            deliver(.resumeRequested(worker, reason))
        case .throttle(let isOn): isThrottled = isOn
        case .levelChanged: transitions += 1
        case .sensorFailed, .sensorRecovered, .allSensorsLost: break
        }
    }

    // MARK: Tree

    private mutating func deliver(_ event: Supervision.Event) {
        for action in tree.handle(event, at: now) { perform(action) }
    }

    private mutating func perform(_ action: Supervision.Action) {
        switch action {
        case .spawn(let worker, let instance): deliver(.spawned(worker, instance))
        case .freezeGroup(let worker, let instance):
            let name = tree.specification(of: worker)?.name ?? "?"
            if Self.essential.contains(name) { faults.append("the essential worker \(name) was paused") }
            frozen.insert(instance)
        case .thawGroup(_, let instance): frozen.remove(instance)
        case .report(.workerFailed(let worker, _, let cause, _, _, _)):
            faults.append("\(tree.specification(of: worker)?.name ?? "?") was judged: \(cause)")
        case .signalGroup, .killGroup: faults.append("a worker was stopped")
        case .abandonGroup, .forgetWorker, .report, .completeShutdown: break
        }
    }
}
