import Configuration
import Supervision

/// `holdfast-output` as a worker of the tree: the first child of the built-in `system` supervisor.
enum OutputWorker {
    static let name = "holdfast-output"

    /// Far above what the tails of thousands of workers take: what grows beyond has a leak. It locks no memory.
    static let limits = [
        ResourceLimit(resource: .dataSize, value: .atMost(512 << 20)),
        ResourceLimit(resource: .lockedMemory, value: .atMost(0)),
    ]

    /// The built-in supervisor of Holdfast's own processes. Each child is an island: a crash loop of one stops no other.
    /// - Parameter launch: another one replaces a process that runs.
    static func supervisor(_ launch: LaunchFingerprint) -> SupervisorSpecification {
        SupervisorSpecification(
            name: SupervisorSpecification.systemName,
            intensity: RestartIntensity(maxRestarts: 20, within: .seconds(60), scope: .perChild),
            onIntensityExceeded: .park(retryAfter: .seconds(30)),
            children: [.worker(specification(launch))])
    }

    /// No watchdog: it would wake an idle machine. Instead the process has a deadman's alarm of its own, set while it
    /// works and not while it waits (see docs/output.md).
    private static func specification(_ launch: LaunchFingerprint) -> WorkerSpecification {
        WorkerSpecification(
            name: name, isEssential: true, readiness: .notify, startTimeout: .seconds(10),
            backoff: Backoff(initial: .milliseconds(50), maximum: .seconds(5)),
            stopPlan: StopPlan(steps: [StopPlan.Step(signal: .terminate, grace: .seconds(5))]), launch: launch)
    }
}
