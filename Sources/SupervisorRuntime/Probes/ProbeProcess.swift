import LinuxSystem
import Supervision

/// One run of a probe's program. It leads a session of its own, outside the worker's cgroup, so that neither a pause nor a limit
/// of the worker reaches it, and is a bystander to the process table. Main thread only.
final class ProbeProcess {
    private let loop: EventLoop
    private let child: ChildProcess
    private let group: ProcessGroup
    private let errors: SharedDescriptor
    private var exitRegistration: EventLoop.Registration?
    private var errorRegistration: EventLoop.Registration?
    /// The end of what it said on its standard error.
    private var lastWords: [UInt8] = []
    /// Told once, when the main process has ended; what is left of the group is killed by then.
    private let onEnd: (ProbeProcess, _ failure: String?) -> Void

    /// What of its standard error is kept for the reason of a failure.
    private static let mostLastWords = 200

    var pid: Int32 { child.pid }

    /// - Parameters:
    ///   - request: without a place for its output, which is set here: all of it is discarded but the end of its errors.
    ///   - mark: what it carries as HOLDFAST_INSTANCE.
    init(
        _ request: SpawnRequest, mark: String, loop: EventLoop,
        onEnd: @escaping (ProbeProcess, _ failure: String?) -> Void
    ) throws(SystemError) {
        var request = request
        let (ours, theirs) = try SystemCall.makePipe().shared()
        let nowhere = SharedDescriptor(try SystemCall.open("/dev/null", .writeOnly))
        guard let output = nowhere.rawValue, let error = theirs.rawValue else {
            throw SystemError(call: "pipe2", errno: SystemError.noSuchEntry)
        }
        request.output = .descriptors(output: output, error: error)
        child = try ChildProcess.spawn(request)
        theirs.close()
        group = ProcessGroup(leader: child, instance: mark)
        errors = ours
        self.loop = loop
        self.onEnd = onEnd
        do throws(SystemError) {
            exitRegistration = try loop.register(child.exitDescriptor, .readable, order: .last) { [weak self] _ in
                self?.ended()
            }
            if let descriptor = ours.rawValue {
                errorRegistration = try loop.register(descriptor, .readable) { [weak self] _ in self?.hear() }
            }
        } catch {
            // Unwatched nobody would reap it.
            if let exitRegistration { loop.unregister(exitRegistration) }
            group.kill()
            throw error
        }
    }

    /// Kills it with all that it has started; its end is told when it has come.
    func kill() {
        group.kill()
    }

    private func ended() {
        guard let exit = child.exit(keepingZombie: true) else { return }
        if let registration = exitRegistration.take() { loop.unregister(registration) }
        while let descriptor = errors.rawValue,
            (try? SystemCall.wait(for: descriptor, .readable, timeout: .zero)) == true
        {
            hear()
        }
        stopHearing()
        // As long as the zombie is there, the group's number is nobody else's.
        group.killBesidesZombie()
        let outcome = child.takeExecOutcome()
        _ = child.exit(keepingZombie: false)
        onEnd(self, failure(exit, outcome))
    }

    private func hear() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let result = buffer.withUnsafeMutableBytes { bytes in
            errors.rawValue.flatMap { try? SystemCall.read($0, into: bytes) }
        }
        guard case .done(let count) = result, count > 0 else { return stopHearing() }
        lastWords = Array((lastWords + buffer.prefix(count)).suffix(Self.mostLastWords))
    }

    private func stopHearing() {
        if let registration = errorRegistration.take() { loop.unregister(registration) }
        errors.close()
    }

    /// `nil` when it says that the worker is well.
    private func failure(_ exit: ProcessExit, _ outcome: ExecOutcome?) -> String? {
        if case .failed(let step, let errno) = outcome {
            return Wording.sentence(SpawnFailure(step: step, errno: errno))
        }
        let end =
            switch exit {
            case .exited(code: 0): ""
            case .exited(let code): "exit status \(code)"
            case .signaled(let signal, _): "ended by \(SignalNumber.name(signal))"
            case .unknown: "nobody knows how it ended"
            }
        guard !end.isEmpty else { return nil }
        let words = Self.oneLine(lastWords)
        return words.isEmpty ? end : "\(end): \(words)"
    }

    /// Shown on terminals, and its writer is not trusted.
    private static func oneLine(_ bytes: [UInt8]) -> String {
        // The first byte may be in the middle of a character.
        let whole = bytes.drop { $0 & 0xc0 == 0x80 }
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: whole, as: UTF8.self).unicodeScalars {
            text.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(text).split(separator: " ").joined(separator: " ")
    }
}
