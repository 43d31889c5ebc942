/// `[worker.limits]` and `[worker_defaults.limits]`: resource limits of every process of a worker (setrlimit(2)), and limits of all
/// of them together (cgroups(7)).
enum LimitSchema {
    private static let anySize: ClosedRange<Int64> = 0...(1 << 50)

    /// The limits in the order of the reference.
    static let settings: [(resource: ResourceLimit.Resource, setting: Setting<ResourceLimit.Value>)] = [
        (.openFiles, limit("open_files", .countLimit(16...1_048_576), "Open descriptors.", ["nofile", "max_fds"])),
        (.processes, limit("processes", .countLimit(1...4_194_304), "Processes and threads of the user.", ["nproc"])),
        (.coreSize, limit("core_size", .sizeLimit(anySize), "Size of a core dump; \"0\" for none.", ["core"])),
        (.fileSize, limit("file_size", .sizeLimit(anySize), "Size of a file it writes.", ["fsize"])),
        (.lockedMemory, limit("locked_memory", .sizeLimit(anySize), "Memory locked in RAM.", ["memlock"])),
        (
            .addressSpace,
            limit("address_space", .sizeLimit((1 << 20)...(1 << 50)), "Virtual memory of a process.", ["as", "vmem"])
        ),
        (.stackSize, limit("stack_size", .sizeLimit((1 << 16)...(1 << 40)), "Stack of the main thread.", ["stack"])),
        (.dataSize, limit("data_size", .sizeLimit((1 << 20)...(1 << 50)), "Heap and data of a process.", ["data"])),
        (
            .cpuTime,
            limit(
                "cpu_time", .secondsLimit(.seconds(1)...DurationText.longest), "Processor time of a process.",
                ["cpu", "cpu_seconds"])
        ),
    ]

    /// Of all processes of a worker together.
    static let memoryMax = groupLimit(
        "memory_max", .sizeLimit((1 << 20)...(1 << 50)),
        "Memory of all its processes together; the kernel ends a worker that needs more.",
        ["memory_limit", "mem", "memory", "memorymax"])
    static let cpuMax = groupLimit(
        "cpu_max", .countLimit(1...102_400),
        "Processor time of all its processes together, in percent of one processor; 200 for two.",
        ["cpu_quota", "cpuquota", "cpus", "cpu_percent"])
    static let pidsMax = groupLimit(
        "pids_max", .countLimit(1...4_194_304),
        "Processes and threads of the worker; beyond it none can be started.", ["tasks_max", "tasksmax", "pids"])

    private static let groupSettings = [memoryMax, cpuMax, pidsMax]

    private static func groupLimit(
        _ name: String, _ type: SettingType<ResourceLimit.Value>, _ meaning: String, _ misnomers: [String]
    ) -> Setting<ResourceLimit.Value> {
        .optional(
            name, type, otherwise: "none", "\(meaning) By cgroup: takes effect without a restart.",
            misnomers: misnomers)
    }

    static let workerTable = table("worker.limits")
    static let defaultsTable = table("worker_defaults.limits")

    private static func table(_ path: String) -> TableSchema {
        let isWorkers = path == "worker.limits"
        return TableSchema(
            path,
            settings: (settings.map(\.setting) + groupSettings).map {
                var description = $0.description
                if isWorkers { description.absent = "as in `[worker_defaults.limits]`" }
                return description
            })
    }

    private static func limit(
        _ name: String, _ type: SettingType<ResourceLimit.Value>, _ meaning: String, _ misnomers: [String]
    ) -> Setting<ResourceLimit.Value> {
        .optional(name, type, otherwise: "as the runtime was started with", meaning, misnomers: misnomers)
    }
}
