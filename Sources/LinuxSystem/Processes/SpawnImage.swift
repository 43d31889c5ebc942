import CLinux
import Glibc

/// A spawn request in C memory, complete before the clone: the child side allocates nothing.
final class SpawnImage {
    private let request: SpawnRequest
    private let arguments: CStringArray
    private let environment: CStringArray

    init(_ request: SpawnRequest) {
        self.request = request
        arguments = CStringArray(request.arguments)
        environment = CStringArray(request.environment)
    }

    /// hf_spawn with everything in place.
    func spawn(_ result: inout hf_spawned) -> Int32 {
        let inherited = request.inherited.map { hf_inherited(source: $0.source, target: $0.target) }
        let limits = request.limits.map { hf_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }
        let groups = request.identity?.supplementaryGroups ?? []
        return request.executable.withCString { executable in
            withOptionalCString(request.workingDirectory) { workingDirectory in
                withOptionalCString(fifo) { fifo in
                    withOptionalCString(request.oomScoreAdjustment.map(String.init)) { oomScoreAdjustment in
                        inherited.withUnsafeBufferPointer { inherited in
                            limits.withUnsafeBufferPointer { limits in
                                groups.withUnsafeBufferPointer { groups in
                                    var image = hf_spawn_request(
                                        executable: executable,
                                        arguments: arguments.base,
                                        environment: environment.base,
                                        working_directory: workingDirectory,
                                        output_fifo: fifo,
                                        output: descriptors.output,
                                        error: descriptors.error,
                                        inherited: inherited.baseAddress,
                                        inherited_count: inherited.count,
                                        limits: limits.baseAddress,
                                        limit_count: limits.count,
                                        oom_score_adj: oomScoreAdjustment,
                                        file_mode_mask: request.fileModeMask.map { Int32($0) } ?? -1,
                                        has_niceness: request.niceness == nil ? 0 : 1,
                                        niceness: Int32(clamping: request.niceness ?? 0),
                                        has_identity: request.identity == nil ? 0 : 1,
                                        uid: request.identity?.uid ?? 0,
                                        gid: request.identity?.gid ?? 0,
                                        groups: groups.baseAddress,
                                        group_count: groups.count,
                                        no_new_privileges: request.forbidsNewPrivileges ? 1 : 0,
                                        cgroup: request.cgroup ?? -1)
                                    return hf_spawn(&image, &result)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private var fifo: String? {
        if case .fifo(let path) = request.output { return path }
        return nil
    }

    private var descriptors: (output: Int32, error: Int32) {
        if case .descriptors(let output, let error) = request.output { return (output, error) }
        return (-1, -1)
    }

    private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        guard let text else { return body(nil) }
        return text.withCString(body)
    }
}

/// A NULL-terminated array of C strings, as execve(2) takes it.
private final class CStringArray {
    private var pointers: [UnsafeMutablePointer<CChar>?]
    let base: UnsafePointer<UnsafeMutablePointer<CChar>?>
    private let buffer: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ strings: [String]) {
        pointers = strings.map { strdup($0) } + [nil]
        buffer = .allocate(capacity: pointers.count)
        _ = buffer.initialize(from: pointers)
        guard let start = buffer.baseAddress else { preconditionFailure("the terminator is always there") }
        base = UnsafePointer(start)
    }

    deinit {
        for pointer in pointers { free(pointer) }
        buffer.deallocate()
    }
}
