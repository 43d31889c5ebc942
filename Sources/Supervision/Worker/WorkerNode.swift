import MonotonicTime

/// A worker in the tree.
struct WorkerNode: Sendable {
    let id: WorkerID
    var specification: WorkerSpecification {
        get { boxed.value }
        set { boxed = Boxed(newValue) }
    }
    /// By reference: nodes are copied at every look at one of their fields, and the specification is most of a node.
    private var boxed: Boxed
    /// The supervisor; `nil` once the worker was removed by a reload and is only waited for.
    var parent: SupervisorID?
    var phase: WorkerPhase = .stopped
    /// An operator, or the configuration, wants it up.
    var isWanted: Bool
    var pauseReasons: Set<PauseReason> = []
    /// Failures in a row without a stable run between them.
    var failures = 0
    /// The next spawn is a restart after a failure and counts against the restart intensity.
    var owesRestart = false
    /// The end of the back-off, also while the worker is held.
    var notBefore: MonotonicInstant?
    /// Start it as soon as its supervisor allows, whatever its start gate says: an operator asked, or it is its own restart.
    var skipsGate = false
    /// The first failure since it was last ready.
    var brokenSince: MonotonicInstant?
    /// Restarts after failures over its whole life.
    var restarts = 0
    var lastExit: ExitStatus?
    var lastFailure: FailureCause?

    init(id: WorkerID, specification: WorkerSpecification, parent: SupervisorID?, isWanted: Bool) {
        self.id = id
        boxed = Boxed(specification)
        self.parent = parent
        self.isWanted = isWanted
    }

    private final class Boxed: Sendable {
        let value: WorkerSpecification

        init(_ value: WorkerSpecification) {
            self.value = value
        }
    }

    mutating func forgetFailures() {
        failures = 0
        owesRestart = false
        notBefore = nil
    }
}
