import LinuxSystem
import MonotonicTime
import Supervision

/// A bundle's own test at work: a program that is run once as workers are, and says by its exit status whether the version is
/// good. Main thread only.
final class SelfTest {
    private let loop: EventLoop
    private let limit: Duration
    private let output: LastWords
    private var process: TransientProcess?
    private var timer: TimerID?
    private var tookTooLong = false
    /// Told once: why the version is not good, or `nil`.
    private let onEnd: (_ problem: String?) -> Void

    /// Of what it prints.
    private static let mostLastWords = 1024

    /// - Parameters:
    ///   - request: without a place for its output, which is set here.
    ///   - mark: what it carries as HOLDFAST_INSTANCE.
    init(
        _ request: SpawnRequest, mark: String, cgroup: Cgroup?, limit: Duration, loop: EventLoop,
        processes: ProcessTable, cgroups: WorkerCgroups, onEnd: @escaping (_ problem: String?) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.limit = limit
        self.onEnd = onEnd
        output = try LastWords(loop: loop, atMost: Self.mostLastWords)
        var request = request
        request.output = .descriptors(output: output.descriptor, error: output.descriptor)
        process = try TransientProcess(
            request, mark: mark, cgroup: cgroup, order: .last, loop: loop, processes: processes, cgroups: cgroups
        ) { [weak self] in self?.ended($0) }
        output.closeOurs()
        timer = loop.schedule(at: loop.now + limit) { [weak self] in
            self?.timer = nil
            self?.tookTooLong = true
            self?.process?.kill()
        }
    }

    /// Kills it with all that it has started; its end is told when it has come.
    func kill() {
        process?.kill()
    }

    private func ended(_ end: TransientProcess.End) {
        if let timer = timer.take() { loop.cancel(timer) }
        let words = LastWords.lastLine(output.end())
        guard var problem = Wording.failure(of: end) else { return onEnd(nil) }
        if tookTooLong, case .signaled = end.exit {
            problem = "did not end within \(Wording.duration(limit)), and was ended"
        }
        onEnd("the self-test \(problem)" + (words.isEmpty ? "" : ": \(words)"))
    }
}
