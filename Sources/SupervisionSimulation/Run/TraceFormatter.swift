package import MonotonicTime
package import Supervision

/// Writes observations for people: virtual time, event, actions and state changes, workers by name.
package struct TraceFormatter {
    private let start: MonotonicInstant
    private var names: [WorkerID: String] = [:]
    /// Whose each instance was, for those whose workers are no longer configured.
    private var owners: [InstanceID: String] = [:]

    /// - Parameter start: the instant that is shown as zero.
    package init(start: MonotonicInstant = MonotonicInstant(nanoseconds: 1_000_000_000_000)) {
        self.start = start
    }

    /// One thing that happened, one line for each consequence.
    package mutating func lines(_ entry: TraceEntry) -> [String] {
        switch entry {
        case .step(let observation, let before): return lines(observation, before: before)
        case .lost(let observation, let before):
            return lines(observation, before: before).map { "\($0)  (not recorded)" }
        case .death(let now): return ["\(time(now))  the supervisor dies"]
        case .handover(let handover):
            names = [:]
            for (instance, worker) in handover.owners { names[worker] = owners[instance] }
            return ["\(time(handover.now))  the next supervisor begins: \(Self.outline(handover.specification))"]
        }
    }

    private mutating func lines(_ observation: Observation, before: TreeStatus) -> [String] {
        for worker in before.workers + observation.status.workers { names[worker.id] = worker.name }
        for case .spawn(let worker, let instance) in observation.actions { owners[instance] = names[worker] }
        var lines = ["\(time(observation.now))  \(text(observation.event))"]
        lines += observation.actions.map { "                -> \(text($0))" }
        lines += supervisorChanges(before, observation.status)
        if let deadline = observation.nextDeadline {
            lines.append("                   next deadline \(time(deadline))")
        }
        return lines
    }

    /// Seconds since the start with microseconds.
    package func time(_ instant: MonotonicInstant) -> String {
        let microseconds = (instant.nanoseconds - start.nanoseconds) / 1000
        let fraction = String(abs(microseconds) % 1_000_000)
        let sign = microseconds < 0 ? "-" : ""
        let whole = sign + String(abs(microseconds) / 1_000_000)
        let padded = String(repeating: " ", count: max(0, 5 - whole.count)) + whole
        return padded + "." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }

    private func supervisorChanges(_ before: TreeStatus, _ after: TreeStatus) -> [String] {
        after.supervisors.compactMap { shown in
            let former = before.supervisors.first { $0.name == shown.name }?.state
            return former == shown.state
                ? nil
                : "                   supervisor \(shown.name) is \(shown.state) (was \(former?.rawValue ?? "new"))"
        }
    }

    private func name(_ worker: WorkerID, _ instance: InstanceID? = nil) -> String {
        let known = names[worker] ?? "worker \(worker.rawValue)"
        return instance.map { "\(known)#\($0.rawValue)" } ?? known
    }

    private func text(_ event: Event) -> String {
        switch event {
        case .started: "started"
        case .shutdownRequested: "shutdown requested"
        case .spawned(let worker, let instance): "\(name(worker, instance)) spawned"
        case .spawnFailed(let worker, let instance, let failure):
            "\(name(worker, instance)) spawn failed in \(failure.step), errno \(failure.errno)"
        case .exited(let worker, let instance, let status): "\(name(worker, instance)) ended, \(text(status))"
        case .groupEmptied(let worker, let instance): "\(name(worker, instance)) group is empty"
        case .notified(let worker, let instance, let said): "\(name(worker, instance)) says \(text(said))"
        case .deadlineReached: "deadline reached"
        case .operatorRequested(let worker, let request): "operator: \(request) \(name(worker))"
        case .pauseRequested(let worker, let reason): "pause \(name(worker)) for \(reason)"
        case .resumeRequested(let worker, let reason): "resume \(name(worker)) from \(reason)"
        case .reloaded(let tree): "reloaded " + Self.outline(tree)
        case .resumed: "resumed"
        case .spawnInterrupted(let worker, let instance): "\(name(worker, instance)) was never let go"
        }
    }

    private func text(_ action: Action) -> String {
        switch action {
        case .spawn(let worker, let instance): "spawn \(name(worker, instance))"
        case .signalGroup(let worker, let instance, let signal):
            "signal \(signal.rawValue) to \(name(worker, instance))"
        case .killGroup(let worker, let instance): "kill \(name(worker, instance))"
        case .freezeGroup(let worker, let instance): "freeze \(name(worker, instance))"
        case .thawGroup(let worker, let instance): "thaw \(name(worker, instance))"
        case .abandonGroup(let worker, let instance): "abandon \(name(worker, instance))"
        case .forgetWorker(let worker): "forget \(name(worker))"
        case .completeShutdown: "complete the shutdown"
        case .report(let report): "report: \(text(report))"
        }
    }

    private func text(_ report: Report) -> String {
        switch report {
        case .workerChanged(let worker, let from, let to): "\(name(worker)) \(from.rawValue) -> \(to.rawValue)"
        case .workerFailed(let worker, let instance, let cause, _, let ranFor, let consequence):
            "\(name(worker, instance)) failed (\(cause)) after \(ranFor): \(consequence)"
        case .workerRecovered(let worker, let instance, let after): "\(name(worker, instance)) recovered after \(after)"
        case .groupRestarted(let supervisor, let because): "\(supervisor) restarts a group because of \(because)"
        case .intensityExceeded(let supervisor, let refused, let reaction):
            "\(supervisor) exceeds its intensity with \(refused.child): \(reaction)"
        case .supervisorRetried(let supervisor): "\(supervisor) is tried again"
        case .groupAbandoned(let worker, let instance): "\(name(worker, instance)) abandoned"
        case .reloaded(let summary): "\(summary)"
        }
    }

    private func text(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal, _): "signal \(signal.rawValue)"
        case .unknown: "status unknown"
        }
    }

    private func text(_ notification: Notification) -> String {
        switch notification {
        case .ready: "READY=1"
        case .watchdogPing: "WATCHDOG=1"
        case .watchdogTriggered: "WATCHDOG=trigger"
        case .watchdogPeriodChanged(let period): "WATCHDOG_USEC=\(period)"
        case .stopping: "STOPPING=1"
        case .reloading: "RELOADING=1"
        case .timeoutExtended(let by): "EXTEND_TIMEOUT_USEC=\(by)"
        case .checkpoint(let name): "HOLDFAST_CHECKPOINT=\(name)"
        case .unhealthy(let reason): "that its probes fail: \(reason)"
        }
    }

    /// The tree in one line: `root[w1 s1(rest-for-one)[w2]]`.
    package static func outline(_ supervisor: SupervisorSpecification) -> String {
        let children = supervisor.children.map { child in
            switch child {
            case .worker(let worker): worker.name
            case .supervisor(let inner): outline(inner)
            }
        }
        return "\(supervisor.name)(\(supervisor.strategy.rawValue))[\(children.joined(separator: " "))]"
    }

    /// The tree with every setting, one line for each child.
    package static func description(_ supervisor: SupervisorSpecification, indent: String = "") -> [String] {
        let intensity = supervisor.intensity
        let head =
            "\(indent)\(supervisor.name): \(supervisor.strategy.rawValue), \(intensity.maxRestarts) restarts within "
            + "\(intensity.within) (\(intensity.scope)), then \(supervisor.onIntensityExceeded)"
        return [head]
            + supervisor.children.flatMap { child in
                switch child {
                case .worker(let worker): [indent + "  " + description(worker)]
                case .supervisor(let inner): description(inner, indent: indent + "  ")
                }
            }
    }

    private static func description(_ worker: WorkerSpecification) -> String {
        let steps = worker.stopPlan.steps.map { "\($0.signal.rawValue) \($0.grace)" }.joined(separator: ", ")
        return
            "\(worker.name): \(worker.restart.rawValue), ready \(worker.readiness.rawValue) in \(worker.startTimeout)"
            + ", gate \(worker.startGate.rawValue)\(worker.isEssential ? ", essential" : "")"
            + (worker.watchdog.map { ", watchdog \($0)" } ?? "")
            + worker.checkpoints.sorted { $0.key < $1.key }.map { ", \($0.key) every \($0.value)" }.joined()
            + ", back-off \(worker.backoff.initial) to "
            + "\(worker.backoff.maximum) (jitter \(worker.backoff.jitter)), stable after \(worker.backoff.stableAfter)"
            + ", attempts \(worker.attempts.maximum.map { "\($0)" } ?? "unlimited"), retry "
            + "\(worker.attempts.retryAfterGivingUp.map { "\($0)" } ?? "never"), stop [\(steps)] kill "
            + "\(worker.stopPlan.killGrace)\(worker.startsAutomatically ? "" : ", on request")"
    }
}
