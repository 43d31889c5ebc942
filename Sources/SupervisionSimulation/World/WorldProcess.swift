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

    init(worker: WorkerID, name: String, instance: InstanceID, behaviour: WorkerBehaviour, pingPeriod: Duration?) {
        self.worker = worker
        self.name = name
        self.instance = instance
        self.behaviour = behaviour
        self.pingPeriod = pingPeriod
    }
}

/// Something that a process does at a time of its own.
enum ProcessStep {
    case executes
    case spawnFails(SpawnFailure)
    case becomesReady
    case pings
    case says(Notification)
    case hangs
    case ends(ExitStatus)
    /// A kill takes effect; a frozen group does not escape it.
    case dies
    case groupVanishes
}
