import DeviceConfiguration
import Supervision

/// The built-in supervisor of Holdfast's own processes. Each child is an island: a crash loop of one stops no other.
enum SystemSupervisor {
    /// Its children, in start order.
    static let names = [OutputWorker.name, MonitorWorker.name, UplinkWorker.name]

    static func includes(_ worker: String) -> Bool { names.contains(worker) }

    /// - Parameters: what the processes are launched with; another one replaces a process that runs.
    ///   - monitor: `nil` when nobody wants one.
    ///   - uplink: the same.
    static func specification(
        output: LaunchFingerprint, monitor: LaunchFingerprint?, uplink: LaunchFingerprint?
    ) -> SupervisorSpecification {
        let wanted = [(OutputWorker.name, output), (MonitorWorker.name, monitor), (UplinkWorker.name, uplink)]
        let children = wanted.compactMap { name, launch in launch.map { worker(name, $0) } }
        return SupervisorSpecification(
            name: SupervisorSpecification.systemName,
            intensity: RestartIntensity(maxRestarts: 20, within: .seconds(60), scope: .perChild),
            onIntensityExceeded: .park(retryAfter: .seconds(30)),
            children: children.map { .worker($0) })
    }

    /// No watchdog: it would wake an idle machine. Instead each process has a deadman's alarm of its own, set while it
    /// works and not while it waits (see docs/output.md).
    private static func worker(_ name: String, _ launch: LaunchFingerprint) -> WorkerSpecification {
        WorkerSpecification(
            name: name, isEssential: true, readiness: .notify, startTimeout: .seconds(10),
            backoff: Backoff(initial: .milliseconds(50), maximum: .seconds(5)),
            stopPlan: StopPlan(steps: [StopPlan.Step(signal: .terminate, grace: .seconds(5))]), launch: launch)
    }
}
