import LinuxSystem
import MonitorProtocol
import MonotonicTime

/// A worker, what it uses, and its probes.
final class WatchedWorker {
    private(set) var description: MonitoredWorker
    private(set) var usage: WorkerUsage?
    private(set) var probes: [ProbeRunner] = []
    private let loop: EventLoop

    /// Called with what has come of a probe.
    var onProbe: (WatchedWorker, ProbeRunner, ProbeRunner.News) -> Void = { _, _, _ in }

    init(_ description: MonitoredWorker, loop: EventLoop) {
        self.description = description
        self.loop = loop
    }

    /// Whether the process is there and nothing holds it up: only then does a probe say anything about it.
    private static func runsFreely(_ worker: MonitoredWorker) -> Bool {
        worker.pid != nil && (worker.state == "running" || worker.state == "ready")
    }

    /// - Parameter keepsOpen: whether the files that tell of its use stay open.
    func update(_ new: MonitoredWorker, keepsOpen: Bool) {
        let former = description
        description = new
        if usage == nil || new.pid != former.pid || new.cgroup != former.cgroup || new.instance != former.instance {
            usage = new.pid.map {
                WorkerUsage(pid: $0, cgroup: new.cgroup.map(WatchedWorker.cgroupFolder), keepsOpen: keepsOpen)
            }
        }
        adopt(new.probes)
        let isNewProcess = new.instance != former.instance || new.pid != former.pid
        for probe in probes {
            if isNewProcess { probe.suspend() }
            if WatchedWorker.runsFreely(new) { probe.resume() } else { probe.suspend() }
        }
    }

    /// Probes that stay keep what is known of them.
    private func adopt(_ wanted: [NetworkProbe]) {
        let former = probes
        probes = wanted.map { probe in
            if let known = former.first(where: { $0.probe.isSameTarget(as: probe) }) {
                known.adopt(probe.schedule)
                return known
            }
            let runner = ProbeRunner(probe, loop: loop)
            runner.onNews = { [weak self] runner, news in
                guard let self else { return }
                onProbe(self, runner, news)
            }
            return runner
        }
        for runner in former where !probes.contains(where: { $0 === runner }) { runner.suspend() }
    }

    func end() {
        for probe in probes { probe.suspend() }
    }

    private static func cgroupFolder(_ path: String) -> String {
        let mount = "/sys/fs/cgroup"
        if path.hasPrefix(mount) { return path }
        return path.hasPrefix("/") ? mount + path : "\(mount)/\(path)"
    }
}

extension NetworkProbe {
    /// But for the schedule.
    fileprivate func isSameTarget(as other: NetworkProbe) -> Bool {
        var other = other
        other.schedule = schedule
        return self == other
    }
}
