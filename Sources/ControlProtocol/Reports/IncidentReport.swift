/// One failure and what came of it: type Incident of the interface.
package struct IncidentReport: Equatable, Sendable {
    package var id: Int
    /// Of the failure, in seconds since 1970.
    package var time: Double
    package var worker: String
    package var supervisor: String
    /// `nil` when no process came to be.
    package var pid: Int?
    package var exit: ExitReport
    /// In seconds.
    package var ranFor: Double
    /// `restarted-at-once`, `restart-after`, `restarted-with-group`, `held`, `gave-up`, `supervisor-parked`,
    /// `supervisor-escalated` or `left-down`.
    package var action: String
    /// The action in words.
    package var actionMessage: String
    /// From the failure until the worker was ready again, in seconds; `nil` until then.
    package var recoveredAfter: Double?
    /// The worker's last lines. Written by the worker: escape them before they go to a terminal.
    package var lastOutput: [String]

    package init(
        id: Int, time: Double, worker: String, supervisor: String, pid: Int? = nil, exit: ExitReport, ranFor: Double,
        action: String, actionMessage: String, recoveredAfter: Double? = nil, lastOutput: [String] = []
    ) {
        self.id = id
        self.time = time
        self.worker = worker
        self.supervisor = supervisor
        self.pid = pid
        self.exit = exit
        self.ranFor = ranFor
        self.action = action
        self.actionMessage = actionMessage
        self.recoveredAfter = recoveredAfter
        self.lastOutput = lastOutput
    }
}

extension IncidentReport: JSONConvertible {
    private enum Key: String {
        case id
        case time
        case worker
        case supervisor
        case pid
        case exit
        case ranFor = "ran_for_s"
        case action
        case actionMessage = "action_message"
        case recoveredAfter = "recovered_after_s"
        case lastOutput = "last_output"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            id: try json.required(Key.id),
            time: try json.required(Key.time),
            worker: try json.required(Key.worker),
            supervisor: try json.required(Key.supervisor),
            pid: try json.optional(Key.pid),
            exit: try json.required(Key.exit),
            ranFor: try json.required(Key.ranFor),
            action: try json.required(Key.action),
            actionMessage: try json.required(Key.actionMessage),
            recoveredAfter: try json.optional(Key.recoveredAfter),
            lastOutput: try json.required(Key.lastOutput))
    }

    package var json: JSONValue {
        .object([
            Key.id: id,
            .time: time,
            .worker: worker,
            .supervisor: supervisor,
            .pid: pid,
            .exit: exit,
            .ranFor: ranFor,
            .action: action,
            .actionMessage: actionMessage,
            .recoveredAfter: recoveredAfter,
            .lastOutput: lastOutput,
        ])
    }
}
