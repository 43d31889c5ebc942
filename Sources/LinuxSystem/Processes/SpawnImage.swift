import CLinux
import Glibc

/// What a child is started from: a mapping of its own, for the rest of our memory may be withheld from the child
/// (`hf_withhold_memory`). Free again as soon as the clone is made: the child has its own copy.
package final class SpawnMemory {
    private var memory: UnsafeMutableRawPointer?
    private var bytes = 0

    package init() {}

    deinit {
        if let memory { SystemCall.unmapMemory(memory, bytes: bytes) }
    }

    /// At least so many bytes, with whatever was there before.
    fileprivate func take(_ needed: Int) throws(SystemError) -> UnsafeMutableRawPointer {
        if let memory, bytes >= needed { return memory }
        let new = try SystemCall.mapMemory(bytes: needed)
        if let memory { SystemCall.unmapMemory(memory, bytes: bytes) }
        memory = new
        bytes = needed
        return new
    }
}

/// A spawn request in C memory, complete before the clone: the child side allocates nothing. Its memory must not be used
/// for another one until `hf_spawn` has returned.
struct SpawnImage {
    private let memory: SpawnMemory
    private let request: UnsafeMutablePointer<hf_spawn_request>

    /// The child's stack, in front of the request: two pages, and so much of the one where the request begins. Mostly the
    /// last part is enough, and the child's first writes then cost it one copied page.
    private static let stackBytes = 2 * 4096 + 1536

    /// - Parameter report: the write end of the pipe on which a failed step is reported.
    /// - Throws: ENOMEM.
    init(_ source: SpawnRequest, report: Int32, in memory: SpawnMemory) throws(SystemError) {
        let imageBytes = SpawnImage.size(of: source)
        let stack = try memory.take(SpawnImage.stackBytes + imageBytes)
        var room = Room(stack + SpawnImage.stackBytes, bytes: imageBytes)
        request = room.place([hf_spawn_request()])
        request.pointee.fill(from: source, report: report, &room)
        request.pointee.stack = stack
        request.pointee.stack_size = SpawnImage.stackBytes
        self.memory = memory
    }

    /// The clone.
    /// - Parameter isBornInCgroup: whether the kernel puts the child into its cgroup; otherwise it moves itself.
    /// - Returns: the pid, or -1 and errno.
    func spawn(isBornInCgroup: Bool, pidfd: inout Int32) -> Int32 {
        request.pointee.cgroup_at_birth = isBornInCgroup ? 1 : 0
        return hf_spawn(request, &pidfd)
    }

    /// Enough bytes for everything.
    private static func size(of source: SpawnRequest) -> Int {
        let strings = source.arguments + source.environment + [source.executable, source.workingDirectory ?? ""]
        let text = strings.reduce(0) { $0 + $1.utf8.count + 1 }
        let pointers = (source.arguments.count + source.environment.count + 2) * MemoryLayout<UInt>.stride
        let records =
            source.inherited.count * MemoryLayout<hf_spawn_descriptor>.stride
            + source.limits.count * MemoryLayout<hf_spawn_limit>.stride
            + (source.identity?.supplementaryGroups.count ?? 0) * MemoryLayout<UInt32>.stride
            + (source.confinement.systemCalls?.instructions.count ?? 0) * MemoryLayout<UInt64>.stride
        // The path of the output, the OOM score, and what alignment takes.
        let others = MemoryLayout<hf_spawn_request>.stride + Int(PATH_MAX) + 256
        return text + pointers + records + others + (source.confinement.sandbox.map(hf_sandbox.size) ?? 0)
    }
}

extension hf_spawn_request {
    fileprivate mutating func fill(from source: SpawnRequest, report: Int32, _ room: inout Room) {
        executable = UnsafePointer(room.place(source.executable))
        arguments = room.place(terminating: source.arguments)
        environment = room.place(terminating: source.environment)
        directory = source.workingDirectory.map { UnsafePointer(room.place($0)) }
        (output, error) = (-1, -1)
        switch source.output {
        case .discard: break
        case .fifo(let path): output_path = UnsafePointer(room.place(path))
        case .descriptors(let first, let second): (output, error) = (first, second)
        }
        if let score = source.oomScoreAdjustment.map({ String($0) }) {
            oom_score = UnsafePointer(room.place(score))
            oom_score_length = score.utf8.count
        }
        self.report = report
        descriptors = room.place(source.inherited.map { hf_spawn_descriptor(source: $0.source, target: $0.target) })
        descriptor_count = source.inherited.count
        limits = UnsafePointer(
            room.place(source.limits.map { hf_spawn_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }))
        limit_count = source.limits.count
        let supplementaryGroups = source.identity?.supplementaryGroups ?? []
        groups = UnsafePointer(room.place(supplementaryGroups))
        group_count = supplementaryGroups.count
        file_mode_mask = source.fileModeMask.map { Int32($0 & 0o777) } ?? -1
        has_niceness = source.niceness == nil ? 0 : 1
        niceness = Int32(clamping: source.niceness ?? 0)
        has_identity = source.identity == nil ? 0 : 1
        uid = source.identity?.uid ?? 0
        gid = source.identity?.gid ?? 0
        no_new_privileges = source.confinement.forbidsNewPrivileges ? 1 : 0
        without_capabilities = source.confinement.dropsCapabilities ? 1 : 0
        ruleset = source.confinement.ruleset ?? -1
        private_rights = source.confinement.allowsScratch ? LandlockRules.rightsOfScratch : 0
        let instructions = source.confinement.systemCalls?.instructions ?? []
        filter = UnsafePointer(room.place(instructions))
        filter_count = instructions.count
        if let source = source.confinement.sandbox, !source.isEmpty {
            sandbox = UnsafePointer(room.place([hf_sandbox(source, &room)]))
        }
        cgroup = source.cgroup ?? -1
    }
}

extension hf_sandbox {
    fileprivate init(_ source: Sandbox, _ room: inout Room) {
        self.init()
        let entries = source.places.map { place in
            hf_sandbox_path(
                path: UnsafePointer(room.place(place.path)), kind: Int32(place.access.kind.rawValue), tree: -1)
        }
        paths = room.place(entries)
        path_count = entries.count
        without_network = source.hasNetwork ? 0 : 1
        is_sealed = Sandbox.canBeSealed ? 1 : 0
        if let maps = Sandbox.identityMaps() {
            (user_map, user_map_length) = (UnsafePointer(room.place(maps.user)), maps.user.utf8.count)
            (group_map, group_map_length) = (UnsafePointer(room.place(maps.group)), maps.group.utf8.count)
        }
    }

    /// Enough bytes for it, the maps and what alignment takes included.
    fileprivate static func size(of source: Sandbox) -> Int {
        let paths = source.places.reduce(0) { $0 + $1.path.utf8.count + 1 + MemoryLayout<hf_sandbox_path>.stride }
        return MemoryLayout<hf_sandbox>.stride + paths + 128
    }
}

/// Hands out pieces of a block, one behind the other. A block that is too small is a mistake of the caller's and traps.
private struct Room {
    private var next: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    init(_ memory: UnsafeMutableRawPointer, bytes: Int) {
        next = memory
        end = memory + bytes
    }

    mutating func place<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let start = take(elements.count, of: Element.self)
        start.initialize(from: elements, count: elements.count)
        return start
    }

    /// A C string.
    mutating func place(_ text: String) -> UnsafeMutablePointer<CChar> {
        place(text.utf8.map { CChar(bitPattern: $0) } + [0])
    }

    /// A NULL-terminated array of C strings, as execve(2) takes it.
    mutating func place(terminating strings: [String]) -> UnsafePointer<UnsafeMutablePointer<CChar>?> {
        let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { place($0) } + [nil]
        let start = take(pointers.count, of: UnsafeMutablePointer<CChar>?.self)
        start.initialize(from: pointers, count: pointers.count)
        return UnsafePointer(start)
    }

    private mutating func take<Element>(_ count: Int, of type: Element.Type) -> UnsafeMutablePointer<Element> {
        let start = next.alignedUp(for: type)
        next = start + count * MemoryLayout<Element>.stride
        precondition(next <= end, "the size of a spawn request was misjudged")
        return start.bindMemory(to: type, capacity: count)
    }
}
