import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import SelfPreservation

/// `critical_command` at work: one at a time, no child of the tree, and ended when it takes too long.
final class CriticalCommand {
    private let loop: EventLoop
    private let processes: ProcessTable
    private let defaults: ProcessDefaults
    private var running: Run?

    /// Called when it could not do what it is for.
    var onTrouble: (String) -> Void = { _ in }

    private struct Run {
        let child: ChildProcess
        let group: ProcessGroup
        let registration: EventLoop.Registration
        let timer: TimerID
        var tookTooLong = false
    }

    static let longestRun: Duration = .seconds(30)

    init(loop: EventLoop, processes: ProcessTable, defaults: ProcessDefaults) {
        self.loop = loop
        self.processes = processes
        self.defaults = defaults
    }

    /// Starts it, if there is one.
    func run(_ settings: PreservationSettings, cause: Cause, why: String) {
        guard !settings.criticalCommand.isEmpty else { return }
        guard running == nil else { return onTrouble("critical_command still runs, and is not run again") }
        let isRoot = SystemCall.effectiveUserID() == 0
        guard !isRoot || settings.commandIdentity != nil else {
            return onTrouble("critical_command was not run: its user, default_user, does not exist on this machine")
        }
        var request = SpawnRequest(
            executable: SpawnRequest.resolve(settings.criticalCommand[0], path: WorkerLaunch.defaultSearchPath),
            arguments: settings.criticalCommand,
            environment: [
                "PATH=\(WorkerLaunch.defaultSearchPath)", "HOLDFAST_LEVEL=\(Level.critical.name)",
                "HOLDFAST_LEVEL_CAUSE=\(cause.rawValue)", "HOLDFAST_LEVEL_REASON=\(why)",
            ])
        request.workingDirectory = "/"
        request.identity = isRoot ? settings.commandIdentity : nil
        defaults.restore(in: &request)
        do throws(SystemError) {
            try start(request)
        } catch {
            onTrouble("critical_command was not run: \(error)")
        }
    }

    private func start(_ request: SpawnRequest) throws(SystemError) {
        let child = try ChildProcess.spawn(request)
        processes.bystanders.insert(child.pid)
        let group = ProcessGroup(leader: child)
        do throws(SystemError) {
            let registration = try loop.register(child.exitDescriptor, .readable) { [weak self] _ in self?.ended() }
            let timer = loop.schedule(at: loop.now + Self.longestRun) { [weak self] in
                self?.running?.tookTooLong = true
                group.kill()
            }
            running = Run(child: child, group: group, registration: registration, timer: timer)
        } catch {
            group.kill()
            processes.bystanders.remove(child.pid)
            throw error
        }
    }

    private func ended() {
        guard let run = running else { return }
        let outcome = run.child.takeExecOutcome()
        guard let exit = run.child.exit(keepingZombie: true) else { return }
        // What it has left in its group: while its number is certainly its own.
        run.group.killBesidesZombie()
        _ = run.child.exit(keepingZombie: false)
        loop.unregister(run.registration)
        loop.cancel(run.timer)
        processes.bystanders.remove(run.child.pid)
        running = nil
        if case .failed(_, let errno) = outcome {
            return onTrouble("critical_command could not be executed: \(SystemError.text(of: errno))")
        }
        switch exit {
        case .exited(code: 0): break
        case .exited(let code): onTrouble("critical_command ended with status \(code)")
        case .signaled where run.tookTooLong:
            onTrouble("critical_command did not end within \(Wording.duration(Self.longestRun)) and was ended")
        case .signaled(let signal, _): onTrouble("critical_command was ended by \(SignalNumber.name(signal))")
        case .unknown: onTrouble("nobody knows how critical_command ended")
        }
    }
}
