import Supervision

/// What holds for a worker that says nothing itself: `[worker_defaults]`, `[runtime]` and `[output]`.
struct WorkerDefaults {
    let policy: TableReader
    let limits: [ResourceLimit.Resource: ResourceLimit.Value]
    let user: String
    let output: WorkerOutput

    /// Reports what is wrong with the defaults themselves, so that it shows even without any worker.
    init(
        policy: TableReader, limits: TableReader, user: String, output: WorkerOutput, _ problems: ProblemCollector
    ) {
        self.policy = policy
        self.limits = LimitSchema.read(limits)
        self.user = user
        self.output = output
        _ = WorkerSpecification(name: "", policy, defaults: nil, problems)
    }
}

extension LimitSchema {
    /// The limits that a table sets.
    static func read(_ table: TableReader) -> [ResourceLimit.Resource: ResourceLimit.Value] {
        var limits: [ResourceLimit.Resource: ResourceLimit.Value] = [:]
        for (resource, setting) in settings { limits[resource] = table.value(setting) }
        return limits
    }
}
