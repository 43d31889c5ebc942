/// What all processes of a worker together may use at most, by its cgroup. A change takes effect on processes that run.
package struct GroupLimits: Equatable, Sendable {
    /// In bytes; beyond it the kernel ends the worker. `nil` for no limit.
    package var memory: UInt64?
    /// In percent of one processor; `nil` for no limit.
    package var processorPercent: UInt64?
    /// Processes and threads; beyond it no other can be started. `nil` for no limit.
    package var processes: UInt64?

    package init(memory: UInt64? = nil, processorPercent: UInt64? = nil, processes: UInt64? = nil) {
        self.memory = memory
        self.processorPercent = processorPercent
        self.processes = processes
    }

    /// The limits that are set, by their keys in the configuration, with the controller of cgroup2 that each needs.
    package var needed: [(key: String, controller: String)] {
        [
            memory == nil ? nil : ("memory_max", "memory"), processorPercent == nil ? nil : ("cpu_max", "cpu"),
            processes == nil ? nil : ("pids_max", "pids"),
        ].compactMap { $0 }
    }
}
