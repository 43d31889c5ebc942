import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import SelfPreservation

/// `critical_command` at work: one at a time, no child of the tree, and ended when it takes too long.
final class CriticalCommand {
    private let loop: EventLoop
    private let processes: ProcessTable
    private let cgroups: WorkerCgroups
    private let defaults: ProcessDefaults
    private var running: TransientProcess?
    private var timer: TimerID?
    private var tookTooLong = false

    /// Called when it could not do what it is for.
    var onTrouble: (String) -> Void = { _ in }

    static let longestRun: Duration = .seconds(30)

    init(loop: EventLoop, processes: ProcessTable, cgroups: WorkerCgroups, defaults: ProcessDefaults) {
        self.loop = loop
        self.processes = processes
        self.cgroups = cgroups
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
            // Without a mark: what it has started in a session of its own is to go on.
            let process = try TransientProcess(
                request, mark: nil, loop: loop, processes: processes, cgroups: cgroups
            ) { [weak self] in self?.ended($0) }
            running = process
            tookTooLong = false
            timer = loop.schedule(at: loop.now + Self.longestRun) { [weak self] in
                self?.timer = nil
                self?.tookTooLong = true
                process.kill()
            }
        } catch {
            onTrouble("critical_command was not run: \(error)")
        }
    }

    private func ended(_ end: TransientProcess.End) {
        if let timer = timer.take() { loop.cancel(timer) }
        running = nil
        if tookTooLong, case .signaled = end.exit {
            onTrouble("critical_command did not end within \(Wording.duration(Self.longestRun)) and was ended")
        } else if let failure = end.failure {
            onTrouble("critical_command could not be run: \(Wording.sentence(failure))")
        } else if let failure = Wording.failure(of: end) {
            onTrouble("critical_command \(failure)")
        }
    }
}
