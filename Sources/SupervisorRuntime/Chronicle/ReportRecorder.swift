import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision

/// Turns the tree's reports into events and incidents.
struct ReportRecorder {
    let chronicle: Chronicle
    let name: (WorkerID) -> String
    let supervisor: (WorkerID) -> String
    let pid: (InstanceID) -> Int?
    /// Whether the kernel has killed the instance for want of memory.
    let outOfMemory: (InstanceID) -> OutOfMemory?
    /// Asks for the last output lines of an instance, for the incident of this number.
    let requestTail: (_ worker: String, _ instance: InstanceID, _ incident: Int) -> Void
    let onReload: (ReloadSummary) -> Void

    func record(_ report: Report) {
        switch report {
        case .workerChanged(let worker, let from, let to):
            recordChange(of: worker, from: from, to: to)
        case .workerFailed(let worker, let instance, let cause, let exit, let ranFor, let consequence):
            recordFailure(of: worker, instance, cause, exit, ranFor, consequence)
        case .workerRecovered(let worker, _, let duration):
            let incidents = chronicle.recovered(name(worker))
            chronicle.record(
                .workerRecovered, worker: name(worker), "ready again \(Wording.duration(duration)) after its failure",
                details: [
                    "after_s": .double(duration.inSeconds), "incidents": .array(incidents.map { .int(Int64($0)) }),
                ])
        case .groupRestarted(let supervisor, let cause):
            chronicle.record(.groupRestarted, supervisor: supervisor, "restarting the siblings of \(cause) with it")
        case .intensityExceeded(let supervisor, let refused, let reaction):
            recordRefusal(by: supervisor, refused, reaction)
        case .supervisorRetried(let supervisor):
            chronicle.record(.supervisorRetried, supervisor: supervisor, "trying its children again")
        case .groupAbandoned(let worker, let instance):
            chronicle.record(
                .groupAbandoned, worker: name(worker), "killed, but the kernel has not ended it; it is given up",
                details: ["pid": pid(instance).map { .int(Int64($0)) } ?? .null])
        case .reloaded(let summary):
            onReload(summary)
            recordReload(summary)
        }
    }

    private func recordChange(of worker: WorkerID, from: WorkerState, to: WorkerState) {
        if to == .stopped { chronicle.forget(name(worker)) }
        chronicle.recordChange(of: name(worker), in: supervisor(worker), from: from, to: to)
    }

    private func recordFailure(
        of worker: WorkerID, _ instance: InstanceID, _ cause: FailureCause, _ status: ExitStatus?,
        _ ranFor: Duration, _ consequence: Consequence
    ) {
        guard var exit = Wording.exit(status, cause) else { return }
        var sentence = Wording.sentence(cause, after: ranFor)
        if cause == .exited(.signaled(.kill, coreDumped: false)), let outOfMemory = outOfMemory(instance) {
            exit.cause = "out-of-memory"
            exit.message = Wording.sentence(outOfMemory)
            sentence = "\(exit.message) after \(Wording.duration(ranFor))"
        }
        let incident = chronicle.open(
            worker: name(worker), supervisor: supervisor(worker), pid: pid(instance), exit: exit, ranFor: ranFor,
            consequence: consequence)
        chronicle.record(
            .workerFailed, worker: name(worker), supervisor: supervisor(worker),
            "\(sentence); \(Wording.action(consequence).sentence)",
            details: ["incident": .int(Int64(incident)), "cause": .string(exit.cause)])
        requestTail(name(worker), instance, incident)
    }

    private func recordRefusal(
        by supervisor: String, _ refused: RefusedRestart, _ reaction: IntensityReaction
    ) {
        var details: JSONObject = [
            "child": .string(refused.child), "max_restarts": .int(Int64(refused.intensity.maxRestarts)),
            "within_s": .double(refused.intensity.within.inSeconds),
        ]
        let consequence = Consequence(refusedBy: refused.intensity.scope, reaction)
        if refused.worker != nil, let incident = chronicle.refuseRestart(of: refused.child, consequence) {
            details["incident"] = .int(Int64(incident))
        }
        let isAlone = refused.intensity.scope == .perChild
        chronicle.record(
            .intensityExceeded, worker: isAlone && refused.worker != nil ? refused.child : nil, supervisor: supervisor,
            Wording.sentence(refused, by: supervisor, reaction), details: details)
    }

    private func recordReload(_ summary: ReloadSummary) {
        let report = summary.report([])
        chronicle.record(
            .reloaded, "configuration reloaded: \(report.changes)", details: report.json.objectValue ?? [:])
    }
}

extension ReloadReport {
    /// "1 added, 3 restarted".
    var changes: String {
        let counts = [
            (added.count, "added"), (removed.count, "removed"), (restarted.count, "restarted"),
            (adjusted.count, "adjusted"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return counts.isEmpty ? "nothing changed" : counts.joined(separator: ", ")
    }
}

extension ReloadSummary {
    func report(_ warnings: [String]) -> ReloadReport {
        ReloadReport(
            added: added, removed: removed, restarted: restarted, adjusted: adjusted, unchanged: unchanged,
            warnings: warnings)
    }
}

extension ReloadSummary {
    /// What is no concern of the tree, a worker's place in the shed order and its probes, may have changed all the same.
    mutating func noteAdjusted(_ isAdjusted: (String) -> Bool) {
        let changed = unchanged.filter(isAdjusted)
        unchanged.removeAll(where: changed.contains)
        adjusted += changed
    }
}
