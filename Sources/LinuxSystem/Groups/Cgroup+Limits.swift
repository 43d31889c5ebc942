/// What controllers do for a cgroup (the kernel's admin-guide/cgroup-v2).
extension Cgroup {
    /// The controllers that could be enabled for the cgroups below it.
    package var availableControllers: Set<String> { words(of: "cgroup.controllers") }

    /// The controllers that are enabled for the cgroups below it.
    package var enabledControllers: Set<String> { words(of: "cgroup.subtree_control") }

    /// The controllers of this machine's cgroup2 hierarchy, as far as it is mounted; `nil` when it is not.
    package static var machineControllers: Set<String>? {
        let mounts = CgroupMount.current().filter { $0.root == "/" }
        guard let point = mounts.first?.point else { return nil }
        guard let bytes = try? SystemCall.readFile(point + "/cgroup.controllers", limit: 4096) else { return nil }
        return words(bytes)
    }

    /// Enables a controller for the cgroups below it. ENOENT when it is not available, EBUSY while there are processes in the
    /// cgroup itself.
    package func enable(controller: String) throws(SystemError) {
        try SystemCall.writeFile("cgroup.subtree_control", "+" + controller, in: rawValue)
    }

    /// memory.max, in bytes. Whoever exceeds it is ended with the whole cgroup, so that no worker goes on by halves.
    package func setMemoryLimit(_ bytes: UInt64?) throws(SystemError) {
        try SystemCall.writeFile("memory.max", bytes.map { "\($0)" } ?? "max", in: rawValue)
        // Since Linux 4.19.
        try? SystemCall.writeFile("memory.oom.group", bytes == nil ? "0" : "1", in: rawValue)
    }

    /// pids.max: processes and threads.
    package func setTaskLimit(_ count: UInt64?) throws(SystemError) {
        try SystemCall.writeFile("pids.max", count.map { "\($0)" } ?? "max", in: rawValue)
    }

    /// Why the kernel has killed processes of it for want of memory; `nil` when it has not, or does not tell.
    package var outOfMemory: OutOfMemory? {
        guard let bytes = try? SystemCall.readFile("memory.events", limit: 4096, in: rawValue) else { return nil }
        return OutOfMemory(events: String(decoding: bytes, as: UTF8.self))
    }

    private func words(of file: String) -> Set<String> {
        Cgroup.words((try? SystemCall.readFile(file, limit: 4096, in: rawValue)) ?? [])
    }

    private static func words(_ bytes: [UInt8]) -> Set<String> {
        Set(String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init))
    }
}

/// Of what there was too little when the kernel killed for want of memory.
package enum OutOfMemory: Hashable, Sendable {
    /// The cgroup had used up its own limit.
    case ownLimit
    /// The machine's memory, or that of a cgroup above.
    case machine

    /// - Parameter events: memory.events.
    init?(events: String) {
        var counts: [Substring: UInt64] = [:]
        for line in events.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2 { counts[fields[0]] = UInt64(fields[1]) }
        }
        guard counts["oom_kill", default: 0] > 0 else { return nil }
        self = counts["oom", default: 0] > 0 ? .ownLimit : .machine
    }
}
