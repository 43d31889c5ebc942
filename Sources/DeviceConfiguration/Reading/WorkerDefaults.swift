import Supervision

/// What holds for a worker that says nothing itself: `[worker_defaults]`, `[runtime]` and `[output]`.
struct WorkerDefaults {
    let policy: TableReader
    let limits: TableReader
    let user: TableReader.Found<String>
    let output: TableReader
    /// Where workers find their notify sockets.
    let runtimeDirectory: String

    /// Reports what is wrong with the defaults themselves, so that it shows even without any worker.
    init(
        policy: TableReader, limits: TableReader, runtime: TableReader, output: TableReader,
        _ problems: ProblemCollector
    ) {
        self.policy = policy
        self.limits = limits
        let user = RuntimeSchema.defaultUser
        self.user = runtime.find(user.setting) ?? TableReader.Found(value: user.fallback, source: .builtIn)
        self.output = output
        let directory = RuntimeSchema.runtimeDirectory
        runtimeDirectory = runtime.find(directory.setting)?.value ?? directory.fallback
        _ = WorkerSpecification(name: "", policy, defaults: nil, problems)
        _ = LimitSchema.read(limits)
        _ = GroupLimits(limits)
    }
}

extension LimitSchema {
    /// The limits that a table sets, or the defaults for it.
    static func read(_ table: TableReader, inheriting defaults: TableReader? = nil) -> [ResourceLimit] {
        settings.compactMap { resource, setting in
            table.optional(setting, inheriting: defaults).map { ResourceLimit(resource: resource, value: $0) }
        }.sorted { $0.resource.rawValue < $1.resource.rawValue }
    }
}

extension GroupLimits {
    /// The limits that a table sets, or the defaults for it.
    init(_ table: TableReader, inheriting defaults: TableReader? = nil) {
        func limit(_ setting: Setting<ResourceLimit.Value>) -> UInt64? {
            switch table.optional(setting, inheriting: defaults) {
            case .atMost(let number): number
            case .unlimited, nil: nil
            }
        }
        self.init(
            memory: limit(LimitSchema.memoryMax), processorPercent: limit(LimitSchema.cpuMax),
            processes: limit(LimitSchema.pidsMax))
    }
}
