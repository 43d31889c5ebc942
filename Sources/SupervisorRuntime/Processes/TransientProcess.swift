import LinuxSystem
import Supervision

/// A process that is there for one piece of work, with all that it starts: no worker, never restarted, and nothing of it stays.
/// It leads a session of its own and is in a cgroup of its own where there are any. Main thread only.
final class TransientProcess {
    struct End {
        var exit: ProcessExit
        /// The step that failed before its program ran.
        var failure: SpawnFailure?
        /// It needed more memory than its cgroup may have.
        var isOutOfMemory: Bool
    }

    private let loop: EventLoop
    private let processes: ProcessTable
    private let cgroups: WorkerCgroups
    private let child: ChildProcess
    private let group: ProcessGroup
    private let mark: String?
    private var registration: EventLoop.Registration?
    private let onEnd: (End) -> Void

    /// - Parameters:
    ///   - mark: what it carries as HOLDFAST_INSTANCE, by which the next supervisor would know it for a leftover, and this one
    ///     what has left its session. `nil` for one that may leave something running there.
    ///   - order: when its end is told within a wake-up.
    ///   - onEnd: called once; what was left of its group is killed by then.
    init(
        _ request: SpawnRequest, mark: String?, cgroup: Cgroup? = nil, order: EventLoop.Order = .normal,
        loop: EventLoop, processes: ProcessTable, cgroups: WorkerCgroups, onEnd: @escaping (End) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.processes = processes
        self.cgroups = cgroups
        self.mark = mark
        self.onEnd = onEnd
        var request = request
        request.cgroup = cgroup?.rawValue
        do throws(SystemError) {
            child = try ChildProcess.spawn(request)
        } catch {
            try? cgroup?.remove()
            throw error
        }
        group = ProcessGroup(leader: child, cgroup: cgroup, instance: mark)
        processes.bystanders.insert(child.pid)
        do throws(SystemError) {
            registration = try loop.register(child.exitDescriptor, .readable, order: order) { [weak self] _ in
                self?.ended()
            }
        } catch {
            // Unwatched nobody would reap it.
            group.kill()
            processes.bystanders.remove(child.pid)
            throw error
        }
    }

    /// Kills it with all that it has started; its end is told when it has come.
    func kill() {
        group.kill()
        killEscaped()
    }

    private func killEscaped() {
        if let mark { processes.killEscaped(mark: mark) }
    }

    private func ended() {
        guard let exit = child.exit(keepingZombie: true) else { return }
        if let registration = registration.take() { loop.unregister(registration) }
        // As long as the zombie is there, the group's number is nobody else's.
        group.killBesidesZombie()
        var failure: SpawnFailure?
        if case .failed(let step, let errno)? = child.takeExecOutcome() {
            failure = SpawnFailure(step: step, errno: errno)
        }
        _ = child.exit(keepingZombie: false)
        processes.bystanders.remove(child.pid)
        // What it has left behind has become a child of ours.
        killEscaped()
        let isOutOfMemory = group.cgroup?.outOfMemory == .ownLimit
        if let cgroup = group.cgroup { cgroups.discard(cgroup) }
        onEnd(End(exit: exit, failure: failure, isOutOfMemory: isOutOfMemory))
    }
}
