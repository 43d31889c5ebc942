import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import Probing
import Supervision

/// Probes that are programs: run as the worker is, and what they find told to the tree.
extension SupervisorRuntime {
    func makeProbeTable() -> ProbeTable {
        ProbeTable { [unowned self] settings, worker in
            ExecProbe(
                settings, of: worker, loop: loop,
                start: { [unowned self] probe, onEnd throws(SystemError) in try start(probe, onEnd) },
                tell: { [unowned self] in told($0, $1) })
        }
    }

    /// How the worker's probes fare that `holdfastd` makes itself.
    func probeReports(of worker: String) -> [ProbeReport] { probes.reports(of: worker) }

    private func start(
        _ probe: ExecProbe, _ onEnd: @escaping (ProbeProcess, String?) -> Void
    ) throws(SystemError) -> ProbeProcess {
        guard let command = probe.settings.command, let launch = configuration.launches[probe.worker],
            let worker = driver.tree.worker(named: probe.worker), let instance = probes.instance(of: probe.worker)
        else { throw SystemError(call: "probe", errno: SystemError.noSuchEntry) }
        guard !runsAsRoot || launch.identity != nil else {
            throw SystemError(call: Self.unknownUserStep, errno: SystemError.noSuchEntry)
        }
        // Not the worker's own mark: what a supervisor before this one has left of a probe is nothing to adopt, and ended.
        let mark = "\(processes.mark(of: instance)).probe.\(probe.settings.name)"
        var request = request(for: launch, probe.worker, mark: mark, try resource(of: worker, probe.worker))
        request.executable = SpawnRequest.resolve(command[0], path: launch.searchPath)
        request.arguments = command
        request.environment.append("HOLDFAST_PROBE=\(probe.settings.name)")
        processes.killEscaped(mark: mark)
        return try ProbeProcess(
            request, mark: mark, loop: loop, processes: processes, cgroups: cgroups, onEnd: onEnd)
    }

    private func told(_ probe: ExecProbe, _ action: ProbeClock.Action) {
        let name = "probe \(probe.settings.name)"
        switch action {
        case .failing(let failure):
            chronicle.record(.probeFailed, worker: probe.worker, "\(name): \(failure)")
        case .recovered:
            chronicle.record(.probeRecovered, worker: probe.worker, "\(name) succeeds again")
        case .unhealthy(let failure):
            guard let worker = driver.tree.worker(named: probe.worker),
                let instance = probes.instance(of: probe.worker)
            else { return }
            driver.deliver(.notified(worker, instance, .unhealthy("\(name): \(failure)")))
        case .begin, .abandon: break
        }
    }
}
