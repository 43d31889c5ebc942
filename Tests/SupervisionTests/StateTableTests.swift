import MonotonicTime
import Supervision
import Testing

/// The whole table of worker states and events: every cell is stated, "nothing happens" included.
@Suite struct StateTableTests {
    static let columns = [
        "spawned", "spawnFailed", "exited", "groupEmptied", "READY=1", "WATCHDOG=1", "WATCHDOG=trigger", "STOPPING=1",
        "RELOADING=1", "EXTEND", "CHECKPOINT", "unhealthy", "start", "stop", "restart", "pause", "resume",
    ]

    /// A row per state; a cell names the state after the event, "." the same one.
    static let table: [(state: WorkerState, cells: String)] = [
        (.stopped, ". . . . . . . . . . . . starting . starting . ."),
        (.waiting, ". . . . . . . . . . . . starting stopped starting held ."),
        (.held, ". . . . . . . . . . . . . stopped . . waiting"),
        // A failed spawn is a failure like any other: the first restart comes at once.
        (.starting, "running starting stopping . . . . . . . . . . stopping stopping . ."),
        (.running, ". . stopping . ready . stopping stopping . . . stopping . stopping stopping paused ."),
        (.ready, ". . stopping . . . stopping stopping . . . stopping . stopping stopping paused ."),
        (.paused, ". . stopping . . . stopping . . . . . . stopping stopping . ready"),
        (.stopping, ". stopped . . . . . . . . . . . . . . ."),
        (.backingOff, ". . . . . . . . . . . . starting stopped starting held ."),
        (.failed, ". . . . . . . . . . . . starting stopped starting . ."),
        (.finished, ". . . . . . . . . . . . starting stopped starting . ."),
    ]

    @Test func `the table has a row for every state`() {
        #expect(Set(Self.table.map(\.state)) == Set(WorkerState.allCases))
        #expect(Self.table.allSatisfy { $0.cells.split(separator: " ").count == Self.columns.count })
    }

    @Test(arguments: table, columns)
    func `every event in every state leads where the table says`(
        row: (state: WorkerState, cells: String), column: String
    ) throws {
        var (fixture, lastInstance) = try Self.fixture(in: row.state)
        try #require(fixture.state("a") == row.state)
        let id = try fixture.id("a")
        // In a state without a process the event is a late one, of the last process there was.
        let instance = fixture.status("a")?.instance ?? lastInstance
        fixture.send(try #require(Self.event(column, id, instance)))
        let cell = row.cells.split(separator: " ")[try #require(Self.columns.firstIndex(of: column))]
        let expected = cell == "." ? row.state : WorkerState(rawValue: String(cell))
        #expect(fixture.state("a") == expected, "\(row.state) on \(column)")
    }

    private static func event(_ column: String, _ id: WorkerID, _ instance: InstanceID) -> Event? {
        switch column {
        case "spawned": .spawned(id, instance)
        case "spawnFailed": .spawnFailed(id, instance, SpawnFailure(step: "exec", errno: 2))
        case "exited": .exited(id, instance, .signaled(.kill, coreDumped: false))
        case "groupEmptied": .groupEmptied(id, instance)
        case "READY=1": .notified(id, instance, .ready)
        case "WATCHDOG=1": .notified(id, instance, .watchdogPing)
        case "WATCHDOG=trigger": .notified(id, instance, .watchdogTriggered)
        case "STOPPING=1": .notified(id, instance, .stopping)
        case "RELOADING=1": .notified(id, instance, .reloading)
        case "CHECKPOINT": .notified(id, instance, .checkpoint("frame"))
        case "unhealthy": .notified(id, instance, .unhealthy("no answer"))
        case "EXTEND": .notified(id, instance, .timeoutExtended(.seconds(5)))
        case "start": .operatorRequested(id, .start)
        case "stop": .operatorRequested(id, .stop)
        case "restart": .operatorRequested(id, .restart)
        case "pause": .pauseRequested(id, .heat)
        case "resume": .resumeRequested(id, .heat)
        default: nil
        }
    }

    /// A tree whose worker "a" is in the state, after a predecessor that never becomes ready.
    private static func fixture(in state: WorkerState) throws -> (TreeFixture, InstanceID) {
        var worker = WorkerSpecification(name: "a", readiness: .notify, watchdog: .seconds(1))
        if state == .waiting || state == .held { worker.startGate = .previousReady }
        if state == .failed { worker.attempts = AttemptLimit(maximum: 0, retryAfterGivingUp: nil) }
        if state == .finished { worker.restart = .onFailure }
        var fixture = TreeFixture([
            .worker(WorkerSpecification(name: "before", readiness: .notify)), .worker(worker),
        ])
        fixture.send(.started)
        try fixture.spawned("before")
        let id = try fixture.id("a")
        let instance = fixture.status("a")?.instance ?? InstanceID(rawValue: 0)
        switch state {
        case .starting, .waiting: break
        case .held: fixture.send(.pauseRequested(id, .heat))
        case .running: try fixture.spawned("a")
        case .ready: try makeReady(&fixture)
        case .paused:
            try makeReady(&fixture)
            fixture.send(.pauseRequested(id, .heat))
        case .stopping: fixture.send(.operatorRequested(id, .stop))
        case .stopped:
            fixture.send(.operatorRequested(id, .stop))
            try fixture.exit("a")
        case .backingOff:
            try makeReady(&fixture)
            try fixture.exit("a")
            try fixture.exit("a")
        case .failed, .finished:
            try makeReady(&fixture)
            try fixture.exit("a", state == .finished ? .exited(code: 0) : .exited(code: 1))
        }
        return (fixture, instance)
    }

    private static func makeReady(_ fixture: inout TreeFixture) throws {
        try fixture.spawned("a")
        try fixture.notify("a", .ready)
    }
}
