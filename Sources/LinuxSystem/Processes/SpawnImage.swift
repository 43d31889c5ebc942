import CLinux
import Glibc

/// A spawn request in C memory, complete before the clone: the child side allocates nothing. Has to live until
/// `hf_spawn` has returned.
final class SpawnImage {
    private var request: hf_spawn_request
    private let arguments: CStringArray
    private let environment: CStringArray
    /// The single strings: executable, directory, output path, OOM score.
    private let texts: CStringArray
    private let descriptors: UnsafeMutableBufferPointer<hf_spawn_descriptor>
    private let limits: UnsafeMutableBufferPointer<hf_spawn_limit>
    private let groups: UnsafeMutableBufferPointer<UInt32>

    /// - Parameter report: the write end of the pipe on which a failed step is reported.
    init(_ source: SpawnRequest, report: Int32) {
        arguments = CStringArray(source.arguments)
        environment = CStringArray(source.environment)
        var outputPath: String?
        var (output, error): (Int32, Int32) = (-1, -1)
        switch source.output {
        case .discard: break
        case .fifo(let path): outputPath = path
        case .descriptors(let first, let second): (output, error) = (first, second)
        }
        texts = CStringArray([
            source.executable, source.workingDirectory, outputPath, source.oomScoreAdjustment.map { String($0) },
        ])
        descriptors = SpawnImage.allocate(
            source.inherited.map { hf_spawn_descriptor(source: $0.source, target: $0.target) })
        limits = SpawnImage.allocate(
            source.limits.map { hf_spawn_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) })
        groups = SpawnImage.allocate(source.identity?.supplementaryGroups ?? [])

        request = hf_spawn_request()
        // The first text is always there.
        request.executable = UnsafePointer(texts[0])
        request.arguments = arguments.base
        request.environment = environment.base
        request.directory = UnsafePointer(texts[1])
        request.output_path = UnsafePointer(texts[2])
        request.oom_score = UnsafePointer(texts[3])
        request.output = output
        request.error = error
        request.report = report
        request.descriptors = descriptors.baseAddress
        request.descriptor_count = descriptors.count
        request.limits = UnsafePointer(limits.baseAddress)
        request.limit_count = limits.count
        request.groups = UnsafePointer(groups.baseAddress)
        request.group_count = groups.count
        request.file_mode_mask = source.fileModeMask.map { Int32($0 & 0o777) } ?? -1
        request.has_niceness = source.niceness == nil ? 0 : 1
        request.niceness = Int32(clamping: source.niceness ?? 0)
        request.has_identity = source.identity == nil ? 0 : 1
        request.uid = source.identity?.uid ?? 0
        request.gid = source.identity?.gid ?? 0
        request.no_new_privileges = source.forbidsNewPrivileges ? 1 : 0
        request.cgroup = source.cgroup ?? -1
    }

    deinit {
        descriptors.deallocate()
        limits.deallocate()
        groups.deallocate()
    }

    /// The clone.
    /// - Parameter isBornInCgroup: whether the kernel puts the child into its cgroup; otherwise it moves itself.
    /// - Returns: the pid, or -1 and errno.
    func spawn(isBornInCgroup: Bool, pidfd: inout Int32) -> Int32 {
        request.cgroup_at_birth = isBornInCgroup ? 1 : 0
        return hf_spawn(&request, &pidfd)
    }

    private static func allocate<Element>(_ elements: [Element]) -> UnsafeMutableBufferPointer<Element> {
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
        _ = buffer.initialize(from: elements)
        return buffer
    }
}

/// A NULL-terminated array of C strings, as execve(2) takes it.
private final class CStringArray {
    private let buffer: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ strings: [String?]) {
        buffer = .allocate(capacity: strings.count + 1)
        _ = buffer.initialize(from: strings.map { $0.flatMap { strdup($0) } } + [nil])
    }

    var base: UnsafePointer<UnsafeMutablePointer<CChar>?> {
        guard let start = buffer.baseAddress else { preconditionFailure("the terminator is always there") }
        return UnsafePointer(start)
    }

    subscript(index: Int) -> UnsafeMutablePointer<CChar>? { buffer[index] }

    deinit {
        for pointer in buffer { free(pointer) }
        buffer.deallocate()
    }
}
