import LinuxSystem
import Supervision

/// One run of a probe's program. It leads a session of its own, outside the worker's cgroup, so that neither a pause nor a limit
/// of the worker reaches it. Main thread only.
final class ProbeProcess {
    private var process: TransientProcess?
    private let errors: LastWords
    /// Told once, when the main process has ended; what is left of the group is killed by then.
    private let onEnd: (ProbeProcess, _ failure: String?) -> Void

    /// What of its standard error is kept for the reason of a failure.
    private static let mostLastWords = 200

    /// - Parameters:
    ///   - request: without a place for its output, which is set here: all of it is discarded but the end of its errors.
    ///   - mark: what it carries as HOLDFAST_INSTANCE.
    init(
        _ request: SpawnRequest, mark: String, loop: EventLoop, processes: ProcessTable, cgroups: WorkerCgroups,
        onEnd: @escaping (ProbeProcess, _ failure: String?) -> Void
    ) throws(SystemError) {
        self.onEnd = onEnd
        errors = try LastWords(loop: loop, atMost: Self.mostLastWords)
        let nowhere = try SystemCall.open("/dev/null", .writeOnly)
        var request = request
        request.output = .descriptors(output: nowhere.rawValue, error: errors.descriptor)
        // Last, when what it printed in the same wake-up was read.
        process = try TransientProcess(
            request, mark: mark, order: .last, loop: loop, processes: processes, cgroups: cgroups
        ) { [weak self] in self?.ended($0) }
        errors.closeOurs()
    }

    /// Kills it with all that it has started; its end is told when it has come.
    func kill() {
        process?.kill()
    }

    private func ended(_ end: TransientProcess.End) {
        onEnd(self, failure(end))
    }

    /// `nil` when it says that the worker is well.
    private func failure(_ end: TransientProcess.End) -> String? {
        let words = LastWords.oneLine(errors.end())
        guard let failure = Wording.failure(of: end) else { return nil }
        return words.isEmpty ? failure : "\(failure): \(words)"
    }
}
