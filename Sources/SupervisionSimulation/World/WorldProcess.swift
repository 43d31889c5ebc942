import MonotonicTime
import Supervision

/// A process group as the kernel sees it.
final class WorldProcess {
    /// The worker's identity in the tree that there is now, and its name, which outlives trees.
    var worker: WorkerID
    let name: String
    let instance: InstanceID
    let behaviour: WorkerBehaviour
    /// The period of the worker's own pings; `nil` when it sends none.
    var pingPeriod: Duration?
    /// Where the worker comes past again and again, and how long each may take; sorted.
    let checkpoints: [(name: String, longest: Duration)]
    /// It comes past no checkpoint any more, though it does all the rest.
    var isStalled = false
    var stage = Stage.ordered
    var isFrozen = false
    var isHung = false
    var isKilled = false
    /// A stop signal came while the group was frozen.
    var pendingStop = false
    var isStopping = false
    /// Steps that fell due while the group was frozen.
    var deferred: [ProcessStep] = []
    /// The latest delivery so far: news of one process come in order.
    var lastDelivery = MonotonicInstant.zero
    /// How its main process ended, once it has.
    var exit: ExitStatus?
    /// Its supervisor has recorded it; until then it executes nothing, and ends when its supervisor dies.
    var isLetGo = false
    /// It is no child of the supervisor that there is now: a failure to execute its program is an end like any other.
    var isAdopted = false
    /// The supervisor that there is now never heard of it: it was abandoned by the one before.
    var isUnknown = false

    enum Stage { case ordered, running, ended, gone }

    init(worker: WorkerID, _ specification: WorkerSpecification, instance: InstanceID, behaviour: WorkerBehaviour) {
        self.worker = worker
        name = specification.name
        self.instance = instance
        self.behaviour = behaviour
        pingPeriod = specification.watchdog
        checkpoints = specification.checkpoints.sorted { $0.key < $1.key }.map { (name: $0.key, longest: $0.value) }
    }
}

/// Something that a process does at a time of its own.
enum ProcessStep {
    case executes
    case spawnFails(SpawnFailure)
    case becomesReady
    case pings
    case passes(checkpoint: Int)
    case says(Notification)
    case hangs
    case stalls
    /// Its prober, who is none of its processes, has had enough.
    case failsProbe
    case ends(ExitStatus)
    /// A kill takes effect; a frozen group does not escape it.
    case dies
    case groupVanishes
}
