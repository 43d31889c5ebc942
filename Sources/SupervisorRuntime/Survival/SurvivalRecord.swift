import Supervision

/// What a `holdfastd` leaves to the next one: the tree, and which processes belong to it.
struct SurvivalRecord: Equatable {
    /// What processes carry in HOLDFAST_INSTANCE in front of the instance's number: from one fresh start to the next, no
    /// two of this machine are equal.
    var runtime: String
    var tree: TreeRecord
    var processes: [InstanceID: ProcessIdentity]
    /// The number of the last event that was recorded.
    var lastEvent: Int

    init(
        runtime: String, tree: TreeRecord = TreeRecord(), processes: [InstanceID: ProcessIdentity] = [:],
        lastEvent: Int = 0
    ) {
        self.runtime = runtime
        self.tree = tree
        self.processes = processes
        self.lastEvent = lastEvent
    }

    mutating func apply(_ entry: StateEntry) {
        tree.apply(entry.changes)
        lastEvent = max(lastEvent, entry.lastEvent)
        processes.merge(entry.processes) { $1 }
    }

    /// Drops the processes of instances that are gone.
    mutating func prune() {
        let live = Set(tree.workers.values.compactMap { $0.phase.instance?.id })
        processes = processes.filter { live.contains($0.key) }
    }
}

/// One step from a record to the next, written at once.
struct StateEntry: Equatable {
    var changes: TreeChanges
    var processes: [InstanceID: ProcessIdentity] = [:]
    var lastEvent = 0
}

/// Names the processes of an instance for as long as the machine is not rebooted.
struct ProcessIdentity: Equatable {
    /// The process that was started; its number is that of the session.
    var leader: Int32
    /// Clock ticks since boot.
    var leaderStart: UInt64
    /// Another one if the worker has said so with MAINPID.
    var main: Int32
    var mainStart: UInt64
    /// The path of its cgroup, where it has one.
    var cgroup: String?
}
