import ControlProtocol
import Testing

struct ReportTests {
    private static let exit = ExitReport(
        status: "signaled", signal: "SIGKILL", cause: "watchdog", message: "killed: no watchdog ping for 10s")
    private static let worker = WorkerReport(
        name: "camera", supervisor: "vision", state: "backing-off", pid: nil, isReady: false, isEssential: true,
        restarts: 4, pauseReasons: ["operator"], heldFor: nil, nextAttempt: 3.5, attemptsLeft: 3,
        failuresForgotten: nil, lastExit: exit, uptime: nil, statusText: "warming up")
    private static let status = StatusReport(
        runtime: RuntimeReport(
            version: "0.1.0", pid: 7, state: "running", uptime: 12.5, name: "press-line-4", warnings: []),
        supervisors: [
            SupervisorReport(
                name: "vision", parent: "root", strategy: "rest-for-one", maxRestarts: 5, within: 30,
                restartsInWindow: 2, state: "up", nextAttempt: nil, children: ["camera"])
        ],
        workers: [worker])

    private func overTheWire<Value: JSONConvertible>(_ value: Value) throws -> Value {
        try Value(json: JSONValue.parse(value.json.serialised(), limits: .reply))
    }

    @Test func `every report survives the wire`() throws {
        #expect(try overTheWire(Self.status) == Self.status)
        let event = EventReport(
            sequence: 1, time: 1.5, monotonic: 2.5, kind: "worker-failed", worker: "camera", supervisor: nil,
            message: "camera failed", details: ["pid": 3])
        let events = EventsReply(event: event, firstAvailable: 1)
        #expect(try overTheWire(events) == events)
        let none = EventsReply(firstAvailable: 9)
        #expect(try overTheWire(none) == none)
        let incidents = IncidentsReply(incidents: [
            IncidentReport(
                id: 1, time: 2.5, worker: "camera", supervisor: "vision", pid: 3, exit: Self.exit, ranFor: 4.25,
                action: "restart-after", actionMessage: "restarted after 0.1 s", recoveredAfter: 0.25,
                lastOutput: ["one", "two"])
        ])
        #expect(try overTheWire(incidents) == incidents)
        let logs = LogsReply(line: LogLineReport(time: 1.5, worker: "camera", line: "hello", lost: 0))
        #expect(try overTheWire(logs) == logs)
        let reload = ReloadReport(
            added: ["a"], removed: ["b"], restarted: ["c"], adjusted: ["d"], unchanged: ["e"],
            warnings: ["f"])
        #expect(try overTheWire(reload) == reload)
    }

    /// Scripts on devices read these keys: adding one is fine, changing or removing one is not.
    @Test func `the keys of status are stable`() {
        func keys(_ value: JSONValue?) -> Set<String> { Set(value?.objectValue?.members.map(\.key) ?? []) }
        let json = Self.status.json
        let supervisor = keys(json["supervisors"]?.arrayValue?.first)
        let worker = keys(json["workers"]?.arrayValue?.first)
        #expect(keys(json) == ["runtime", "supervisors", "workers"])
        #expect(keys(json["runtime"]).isSuperset(of: ["version", "pid", "state", "uptime_s"]))
        #expect(
            supervisor.isSuperset(of: [
                "name", "parent", "strategy", "max_restarts", "within_s", "restarts_in_window",
            ]))
        #expect(
            worker.isSuperset(of: [
                "name", "supervisor", "state", "pid", "ready", "essential", "restarts", "pause_reasons", "held_for",
                "next_attempt_in_s", "attempts_left", "last_exit",
            ]))
    }

    /// Every type's keys are the fields of the type of the same name in the interface's definition.
    @Test(arguments: [
        ("Runtime", status.runtime.json), ("Supervisor", status.supervisors[0].json), ("Worker", worker.json),
        ("Exit", exit.json),
    ])
    func `the keys are those of the interface`(type: String, json: JSONValue) {
        let lines = RuntimeInterface.definition.split(separator: "\n")
        let fields = lines.drop { $0 != "type \(type) (" }.dropFirst().prefix { $0 != ")" }
            .map { $0.drop { $0 == " " } }.filter { !$0.hasPrefix("#") }
            .map { String($0.prefix { $0 != ":" }) }
        #expect(fields == json.objectValue?.members.map(\.key))
    }

    @Test func `a broken report is refused with the place`() {
        var json = Self.status.json
        guard case .object(var object) = json, case .object(var broken)? = json["workers"]?.arrayValue?.first else {
            Issue.record("no worker")
            return
        }
        broken["pid"] = "seven"
        object["workers"] = [.object(broken)]
        json = .object(object)
        #expect {
            try StatusReport(json: json)
        } throws: {
            ($0 as? JSONError)?.description == "workers[0].pid: must be a whole number, but is text"
        }
    }
}
