import MonotonicTime
import Supervision

/// A process group as the kernel sees it.
final class WorldProcess {
    let worker: WorkerID
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

    enum Stage { case ordered, running, ended, gone }

    init(worker: WorkerID, instance: InstanceID, behaviour: WorkerBehaviour, pingPeriod: Duration?) {
        self.worker = worker
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
