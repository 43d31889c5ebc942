import Supervision

extension WorkerSpecification {
    /// The policy that a table sets, then the defaults, then the schema. What is wrong has been reported, and a default
    /// stands in its place. `launch` and what only a worker can say are left as they are by default.
    ///
    /// - Parameter defaults: `[worker_defaults]`; `nil` when that itself is read.
    init(name: String, _ table: TableReader, defaults: TableReader?, _ problems: ProblemCollector) {
        func policy<Value>(_ setting: DefaultedSetting<Value>) -> Value {
            table.value(setting, inheriting: defaults)
        }
        let backoff = Backoff(
            initial: policy(PolicySchema.backoffInitial), maximum: policy(PolicySchema.backoffMaximum),
            jitter: policy(PolicySchema.backoffJitter), stableAfter: policy(PolicySchema.stableAfter))
        if backoff.initial > backoff.maximum {
            let key = table.has("backoff_initial") ? "backoff_initial" : "backoff_max"
            problems.add(
                table.place(of: key), table.table.path(of: key),
                "backoff_initial is \(DurationText.render(backoff.initial).inQuotes) and longer than backoff_max, "
                    + DurationText.render(backoff.maximum).inQuotes,
                allowed: "backoff_initial at most backoff_max")
        }
        self.init(
            name: name,
            restart: policy(PolicySchema.restart),
            readiness: policy(PolicySchema.ready),
            startGate: policy(PolicySchema.startAfter),
            startTimeout: policy(PolicySchema.startTimeout),
            watchdog: policy(PolicySchema.watchdog),
            watchdogSignal: policy(PolicySchema.watchdogSignal),
            backoff: backoff,
            attempts: AttemptLimit(
                maximum: policy(PolicySchema.maxAttempts),
                retryAfterGivingUp: policy(PolicySchema.retryAfterGivingUp)),
            stopPlan: StopPlan(
                steps: WorkerSpecification.stopSteps(table, defaults, problems),
                killGrace: policy(PolicySchema.killTimeout)))
    }

    /// `stop_plan`, or the one step of `stop_signal` and `stop_timeout`: the worker's own keys, of either way, come
    /// before those of the defaults.
    private static func stopSteps(
        _ table: TableReader, _ defaults: TableReader?, _ problems: ProblemCollector
    ) -> [StopPlan.Step] {
        let single = ["stop_signal", "stop_timeout"].filter(table.has)
        if table.has("stop_plan"), let key = single.first {
            problems.add(
                table.place(of: key), table.table.path(of: key), "cannot stand beside stop_plan; remove one of them")
        }
        let inherited = single.isEmpty ? defaults?.find(PolicySchema.stopPlan) : nil
        if let plan = table.find(PolicySchema.stopPlan) ?? inherited {
            return table.value(PolicySchema.stopPlan, otherwise: plan)
        }
        return [
            StopPlan.Step(
                signal: table.value(PolicySchema.stopSignal, inheriting: defaults),
                grace: table.value(PolicySchema.stopTimeout, inheriting: defaults))
        ]
    }
}
