import MonotonicTime
import Supervision
import SupervisionSimulation
import Testing

/// A history that is in order, and a lie about its last events that has to be found out.
struct Falsification: Sendable, CustomTestStringConvertible {
    var invariant: Invariant
    var lie: String
    var root = SupervisorSpecification.pair()
    /// Told as they are.
    var history: [Event] = [.started]
    /// Told with the lie.
    var falsified: [Event]
    var tamper: @Sendable (inout Observation) -> Void
    /// The lie about what the next supervisor has read, before `resumed`.
    var tamperWithHandover: @Sendable (inout Handover) -> Void = { _ in }

    var testDescription: String { "\(invariant.rawValue): \(lie)" }

    private static let up: [Event] = [
        .started, .spawned(.camera, .number(1)), .spawned(.detector, .number(2)),
        .notified(.camera, .number(1), .ready),
    ]

    static let all: [Falsification] = ofOneLife + ofTheNextLife

    private static let ofOneLife: [Falsification] = [
        Falsification(invariant: .singleInstance, lie: "a second process", history: up, falsified: [.deadlineReached]) {
            $0.actions.append(.spawn(.camera, .number(9)))
            $0.event = .operatorRequested(.camera, .start)
        },
        Falsification(
            invariant: .groupReaped, lie: "no kill after the exit", history: up,
            falsified: [.exited(.camera, .number(1), .exited(code: 1))]
        ) { $0.actions.removeAll { $0 == .killGroup(.camera, .number(1)) } },
        Falsification(
            invariant: .groupReaped, lie: "abandoned at once", history: up,
            falsified: [.exited(.camera, .number(1), .exited(code: 1))]
        ) { $0.actions.append(.abandonGroup(.camera, .number(1))) },
        Falsification(
            invariant: .neverStuck, lie: "a back-off without a timer", history: failedTwice.dropLast(),
            falsified: failedTwice.suffix(1)
        ) { $0.nextDeadline = nil },
        Falsification(
            invariant: .neverStuck, lie: "a wanted worker that is stopped", history: failedTwice.dropLast(),
            falsified: failedTwice.suffix(1)
        ) {
            $0.status.workers[0].state = .stopped
            $0.actions =
                [.report(.workerChanged(.camera, from: .starting, to: .stopped))]
                + $0.actions.filter { if case .report(.workerFailed) = $0 { true } else { false } }
        },
        Falsification(
            invariant: .boundedStop, lie: "killed without a signal", history: up,
            falsified: [.operatorRequested(.camera, .stop)]
        ) { $0.actions = [.killGroup(.camera, .number(1))] },
        Falsification(
            invariant: .boundedStop, lie: "a stop without a timer", root: .pair { $0.watchdog = nil },
            history: up,
            falsified: [.operatorRequested(.detector, .stop)]
        ) { $0.nextDeadline = MonotonicInstant(nanoseconds: 3_600_000_000_000) },
        Falsification(
            invariant: .essentialNotShed, lie: "frozen for heat", root: .pair { $0.isEssential = true }, history: up,
            falsified: [.pauseRequested(.camera, .heat)]
        ) { $0.actions.append(.freezeGroup(.camera, .number(1))) },
        Falsification(
            invariant: .pausedWithReason, lie: "paused, but not frozen", history: up,
            falsified: [.pauseRequested(.camera, .heat)]
        ) { $0.actions.removeAll { $0 == .freezeGroup(.camera, .number(1)) } },
        Falsification(
            invariant: .pausedWithReason, lie: "frozen without a reason", history: up, falsified: [.deadlineReached]
        ) {
            $0.event = .resumeRequested(.detector, .heat)
            $0.actions.append(.freezeGroup(.camera, .number(1)))
        },
        Falsification(
            invariant: .restartIntensity, lie: "exceeded without restarts", history: failedOnce.dropLast(),
            falsified: failedOnce.suffix(1)
        ) { tampered in
            let refused = RefusedRestart(child: "camera", worker: .camera, intensity: RestartIntensity())
            tampered.actions.append(
                .report(.intensityExceeded(supervisor: "root", refused: refused, reaction: .park(retryAfter: nil))))
        },
        Falsification(
            invariant: .livenessClock, lie: "a watchdog that nobody watches", history: up.dropLast(),
            falsified: up.suffix(1)
        ) { $0.nextDeadline = nil },
        Falsification(invariant: .startOrder, lie: "the second one first", history: [], falsified: [.started]) {
            $0.actions = [.spawn(.detector, .number(2)), .spawn(.camera, .number(1))]
        },
        Falsification(invariant: .stopOrder, lie: "the first one first", history: up, falsified: [.shutdownRequested]) {
            $0.actions = [
                .signalGroup(.camera, .number(1), .terminate), .signalGroup(.camera, .number(1), .continue),
            ]
        },
        Falsification(
            invariant: .startGate, lie: "started before its predecessor is ready",
            root: .pair(detector: { $0.startGate = .previousReady }), history: [], falsified: [.started]
        ) { $0.actions.append(.spawn(.detector, .number(2))) },
        Falsification(
            invariant: .liveTarget, lie: "a kill of nothing", history: up,
            falsified: [.operatorRequested(.detector, .stop)]
        ) { $0.actions.append(.killGroup(.camera, .number(7))) },
        Falsification(
            invariant: .continueAfterSignal, lie: "no SIGCONT", history: up,
            falsified: [.operatorRequested(.camera, .stop)]
        ) { $0.actions.removeAll { $0 == .signalGroup(.camera, .number(1), .continue) } },
        Falsification(
            invariant: .explainedStop, lie: "stopped for nothing", history: up,
            falsified: [.operatorRequested(.detector, .start)]
        ) {
            $0.actions += [
                .signalGroup(.camera, .number(1), .terminate), .signalGroup(.camera, .number(1), .continue),
            ]
        },
        Falsification(
            invariant: .restartPolicy, lie: "restarted although it never should", root: .pair { $0.restart = .never },
            history: failedOnce.dropLast(), falsified: failedOnce.suffix(1)
        ) { $0.actions.append(.spawn(.camera, .number(9))) },
        Falsification(
            invariant: .restartPolicy, lie: "restarted before its back-off is over", history: failedTwice.dropLast(),
            falsified: failedTwice.suffix(1)
        ) { $0.actions.append(.spawn(.camera, .number(9))) },
        Falsification(
            invariant: .deadlineProgress, lie: "a deadline that does not pass", history: up,
            falsified: Array(repeating: .deadlineReached, count: 5)
        ) { $0.nextDeadline = $0.now },
        Falsification(
            invariant: .strayIgnored, lie: "a stray exit that kills", history: up,
            falsified: [.exited(.camera, .number(99), .exited(code: 1))]
        ) { $0.actions = [.killGroup(.camera, .number(1))] },
        Falsification(
            invariant: .shutdownFinal, lie: "complete with live processes", history: up,
            falsified: [.shutdownRequested]
        ) { $0.actions.append(.completeShutdown) },
        Falsification(
            invariant: .shutdownFinal, lie: "a start after the request", history: up + [.shutdownRequested],
            falsified: [.exited(.detector, .number(2), .exited(code: 0))]
        ) { $0.actions.append(.spawn(.detector, .number(9))) },
        Falsification(
            invariant: .statusConsistent, lie: "ready, but shown as running", history: up.dropLast(),
            falsified: up.suffix(1)
        ) { $0.status.workers[0].state = .running },
        Falsification(
            invariant: .statusConsistent, lie: "a failure that nobody is told of", history: failedOnce.dropLast(),
            falsified: failedOnce.suffix(1)
        ) { $0.actions.removeAll { if case .report(.workerFailed) = $0 { true } else { false } } },
        Falsification(
            invariant: .reloadApplied, lie: "forgotten, but configured", history: up,
            falsified: [.operatorRequested(.detector, .start)]
        ) { $0.actions.append(.forgetWorker(.camera)) },
    ]

    private static let ofTheNextLife: [Falsification] = [
        Falsification(
            invariant: .recordKept, lie: "a restart that nobody remembers", history: failedOnce, falsified: [.resumed],
            tamper: { _ in }, tamperWithHandover: { $0.status.workers[0].restarts = 0 }),
        Falsification(
            invariant: .groupReaped, lie: "a process that nobody remembers", history: up, falsified: [.resumed],
            tamper: { _ in },
            tamperWithHandover: {
                $0.status.workers.removeFirst()
                $0.owners = [:]
            }),
        Falsification(
            invariant: .livenessClock, lie: "no watchdog after the gap", history: up, falsified: [.resumed]
        ) { $0.nextDeadline = nil },
        Falsification(
            invariant: .pausedWithReason, lie: "paused, and not frozen again",
            history: up + [.pauseRequested(.camera, .heat)], falsified: [.resumed]
        ) { $0.actions.removeAll { $0 == .freezeGroup(.camera, .number(1)) } },
        Falsification(
            invariant: .pausedWithReason, lie: "running, and not thawed for certain", history: up, falsified: [.resumed]
        ) { $0.actions.removeAll { $0 == .thawGroup(.camera, .number(1)) } },
        Falsification(
            invariant: .explainedStop, lie: "stopped for being silent in the gap", history: up, falsified: [.resumed]
        ) {
            $0.actions += [
                .signalGroup(.camera, .number(1), .abort), .signalGroup(.camera, .number(1), .continue),
            ]
        },
        Falsification(
            invariant: .singleInstance, lie: "numbers that begin anew",
            falsified: [.resumed, .spawnInterrupted(.camera, .number(1))]
        ) {
            guard case .spawnInterrupted = $0.event else { return }
            $0.actions.removeAll { if case .spawn = $0 { true } else { false } }
            $0.actions.append(.spawn(.camera, .number(2)))
        },
    ]

    private static let failedOnce: [Event] =
        up + [.exited(.camera, .number(1), .exited(code: 1)), .groupEmptied(.camera, .number(1))]

    /// The second process does not come to be, so that the next start has to wait.
    private static let failedTwice: [Event] =
        failedOnce + [.spawnFailed(.camera, .number(3), SpawnFailure(step: "exec", errno: 2))]
}
