import MonotonicTime
import Supervision

/// What a simulation keeps beyond the life of a supervisor, and how the present one is going to die.
struct Survival {
    struct Absence {
        /// When the next supervisor begins.
        var end: MonotonicInstant
        var death: SupervisorDeath
    }

    /// Otherwise nothing is recorded: most of the runs need none of it.
    let isPossible: Bool
    var record = TreeRecord()
    /// Whether anything was ever recorded; a supervisor that finds nothing starts anew.
    var hasRecord = false
    /// The configuration that a supervisor would read now.
    var configuration: SupervisorSpecification
    var impending: SupervisorDeath?
    var absence: Absence?
    var deaths = 0
    /// The shutdown is complete: the supervisor ends by itself, and nobody follows it.
    var isOver = false

    /// What happened in the wake-up at hand, kept back while it may be lost.
    var unrecorded: [TraceEntry] = []
    var hasHandled = false
    var orders = 0

    /// What the next supervisor gets to read.
    func record(afterDeath death: SupervisorDeath) -> TreeRecord {
        death.keepsDescriptors ? record : record.withoutClocks
    }

    init(_ schedule: Schedule) {
        configuration = schedule.tree
        isPossible = schedule.stimuli.contains {
            if case .death = $0.stimulus { true } else { false }
        }
    }
}
