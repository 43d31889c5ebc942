import MonotonicTime

@testable import Supervision
@testable import SupervisorRuntime

/// What there is to write into a state file.
enum StateSamples {
    private static func instant(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    private static func live(_ number: UInt64, ready: Bool = false, watchdog: Duration? = nil) -> LiveInstance {
        var live = LiveInstance(
            id: InstanceID(rawValue: number), spawnedAt: instant(1000), wasReady: ready,
            hasAnnouncedStop: watchdog != nil, startDeadline: instant(1000), watchdogPeriod: watchdog,
            stabilityRemaining: .seconds(60))
        if ready { live.checkpoints = [LiveInstance.Checkpoint("frame"), LiveInstance.Checkpoint("up\"load")] }
        return live
    }

    private static let plan = StopPlan(
        steps: [
            StopPlan.Step(signal: .interrupt, grace: .seconds(60)),
            StopPlan.Step(signal: .terminate, grace: .milliseconds(1)),
        ], killGrace: .nanoseconds(7))

    /// A worker in every state, a supervisor in every phase.
    static let record: SurvivalRecord = {
        let stop = Stop(
            purpose: .failure(.checkpointMissed("a:b", within: .milliseconds(1500))), isRequestedToo: true,
            begunAt: instant(2000), steps: plan.steps, killGrace: .seconds(5), deadline: instant(2000),
            exit: .exited(code: 3), endedAt: instant(2500))
        let phases: [WorkerPhase] = [
            .stopped, .running(live(2)), .waiting, .held, .starting(live(1)), .ready(live(3, ready: true)),
            .paused(live(4, ready: true, watchdog: .seconds(2))), .stopping(live(5), stop),
            .backingOff(until: instant(Int64.max)), .failed(retryAt: nil), .failed(retryAt: instant(-1)), .finished,
        ]
        let workers = phases.enumerated().map { number, phase in
            // One with a process may have a plan that sends no signal at all.
            let stopPlan = phase.isDown ? nil : number.isMultiple(of: 2) ? plan : StopPlan(steps: [])
            return WorkerRecord(
                name: "w\(number)", launch: LaunchFingerprint("abc"), watchdog: .seconds(number), phase: phase,
                isWanted: number.isMultiple(of: 2), pauseReasons: [.operator], failures: number, owesRestart: true,
                notBefore: instant(1), skipsGate: true, brokenSince: instant(2), restarts: number,
                lastExit: .unknown,
                lastFailure: number.isMultiple(of: 2)
                    ? .spawnFailed(SpawnFailure(step: "execve: a \"b\"\n", errno: 2))
                    : .unhealthy("probe a: no\nanswer"),
                isDeparting: number.isMultiple(of: 3), stopPlan: stopPlan,
                watchdogSignal: phase.isDown ? nil : .abort)
        }
        let supervisors = [
            SupervisorRecord(name: "root", phase: .up, scope: .escalate, areAllScoped: true),
            SupervisorRecord(
                name: "parked", phase: .parked(until: nil), scope: .park(retryAfter: .seconds(1)), scoped: ["w1"],
                restarts: [SupervisorRecord.Restart(child: "w1", at: instant(5))], owesRestart: true, skipsGate: true),
            SupervisorRecord(name: "waiting", phase: .waiting, scope: .startAgain),
            SupervisorRecord(name: "down", phase: .down, scope: .down),
        ]
        var record = SurvivalRecord(
            runtime: "r-1",
            tree: TreeRecord(
                lastInstance: .max, isShuttingDown: true,
                workers: Dictionary(uniqueKeysWithValues: workers.map { ($0.name, $0) }),
                supervisors: Dictionary(uniqueKeysWithValues: supervisors.map { ($0.name, $0) })), lastEvent: 99)
        for number in 1...5 {
            record.processes[InstanceID(rawValue: UInt64(number))] = ProcessIdentity(
                leader: 100 + Int32(number), leaderStart: .max, main: 200 + Int32(number), mainStart: 8,
                cgroup: number == 1 ? nil : "/sys/fs/cgroup/a b")
        }
        return record
    }()

    /// A worker is started anew; another one leaves the tree with the third.
    static func entry(_ number: Int) -> StateEntry {
        let instance = InstanceID(rawValue: UInt64(10 + number))
        let started = WorkerRecord(
            name: "w1", launch: LaunchFingerprint("abc"),
            phase: .running(
                LiveInstance(
                    id: instance, spawnedAt: instant(Int64(number) * 1000), wasReady: false,
                    startDeadline: instant(Int64(number) * 1000), watchdogPeriod: nil,
                    stabilityRemaining: .seconds(60))))
        return StateEntry(
            changes: TreeChanges(
                lastInstance: instance.rawValue, removedWorkers: number == 3 ? ["w3"] : [], workers: [started]),
            processes: [
                instance: ProcessIdentity(
                    leader: 500 + Int32(number), leaderStart: 77, main: 500 + Int32(number), mainStart: 77, cgroup: nil)
            ], lastEvent: 100 + number)
    }
}
