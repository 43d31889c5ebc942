import ControlProtocol
import DeviceConfiguration
import Supervision

/// The probes of all workers that are programs, kept running exactly while their workers are. Main thread only.
final class ProbeTable {
    private struct Watched {
        var instance: InstanceID?
        var probes: [ExecProbe]
    }

    /// By the worker's name; those only that have such a probe.
    private var watched: [String: Watched] = [:]
    private let make: (WorkerProbe, _ worker: String) -> ExecProbe

    init(make: @escaping (WorkerProbe, _ worker: String) -> ExecProbe) {
        self.make = make
    }

    /// What is configured from now on. A probe that keeps its name and its command keeps its history.
    func configure(_ probes: [String: [WorkerProbe]]) {
        var next: [String: Watched] = [:]
        for (worker, settings) in probes {
            let programs = settings.filter { $0.command != nil }
            guard !programs.isEmpty else { continue }
            var former = watched[worker] ?? Watched(probes: [])
            let kept = programs.map { settings in
                let known = former.probes.firstIndex { $0.settings.name == settings.name }
                guard let known else { return make(settings, worker) }
                let probe = former.probes.remove(at: known)
                probe.change(to: settings)
                return probe
            }
            for probe in former.probes { probe.suspend() }
            watched[worker] = nil
            next[worker] = Watched(instance: former.instance, probes: kept)
            // One that is new to a worker that runs begins with the others.
            if former.instance != nil { for probe in kept where !probe.isActive { probe.begin() } }
        }
        for gone in watched.values { for probe in gone.probes { probe.suspend() } }
        watched = next
    }

    /// Last in a wake-up: begins with those whose workers run, and gives up those whose workers do not, or not any more as the
    /// same process.
    func follow(_ tree: SupervisorTree) {
        for worker in watched.keys { follow(worker, in: tree) }
    }

    private func follow(_ worker: String, in tree: SupervisorTree) {
        let instance = tree.worker(named: worker).flatMap { tree.runningInstance(of: $0) }
        guard let former = watched[worker], former.instance != instance else { return }
        watched[worker]?.instance = instance
        for probe in former.probes {
            probe.suspend()
            if instance != nil { probe.begin() }
        }
    }

    /// Whose probe it is that speaks.
    func instance(of worker: String) -> InstanceID? { watched[worker]?.instance }

    func reports(of worker: String) -> [ProbeReport] { watched[worker]?.probes.map(\.report) ?? [] }
}
