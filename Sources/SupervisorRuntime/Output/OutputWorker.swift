import Supervision

/// `holdfast-output` as a worker of the tree: the first child of the built-in `system` supervisor.
enum OutputWorker {
    static let name = "holdfast-output"

    /// The built-in supervisor of Holdfast's own processes. Each child is an island: a crash loop of one stops no other.
    static var supervisor: SupervisorSpecification {
        SupervisorSpecification(
            name: SupervisorSpecification.systemName,
            intensity: RestartIntensity(maxRestarts: 20, within: .seconds(60), scope: .perChild),
            onIntensityExceeded: .park(retryAfter: .seconds(30)),
            children: [.worker(specification)])
    }

    /// No watchdog: it would wake an idle machine. Instead the process has a deadman's alarm of its own, set while it
    /// works and not while it waits (see docs/output.md).
    private static var specification: WorkerSpecification {
        WorkerSpecification(
            name: name, isEssential: true, readiness: .notify, startTimeout: .seconds(10),
            backoff: Backoff(initial: .milliseconds(50), maximum: .seconds(5)),
            stopPlan: StopPlan(steps: [StopPlan.Step(signal: .terminate, grace: .seconds(5))]))
    }
}
