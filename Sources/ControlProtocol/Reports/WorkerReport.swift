/// One worker: type Worker of the interface.
package struct WorkerReport: Equatable, Sendable {
    package var name: String
    package var supervisor: String
    /// `stopped`, `waiting`, `held`, `starting`, `running`, `ready`, `paused`, `stopping`, `backing-off`, `failed` or
    /// `finished`.
    package var state: String
    package var pid: Int?
    package var isReady: Bool
    package var isEssential: Bool
    /// After failures, over the worker's whole life.
    package var restarts: Int
    /// `operator`, `heat`, `memory`, `pressure`.
    package var pauseReasons: [String]
    /// Why a wanted worker is not started: a pause reason, or "after NAME".
    package var heldFor: String?
    /// When the next start is tried, in seconds from now.
    package var nextAttempt: Double?
    /// `nil` when there is no limit.
    package var attemptsLeft: Int?
    /// When the failures so far are forgotten, in seconds from now.
    package var failuresForgotten: Double?
    package var lastExit: ExitReport?
    /// Of the current process, in seconds.
    package var uptime: Double?
    /// What the worker last said with `STATUS=`. Written by the worker: escape it before it goes to a terminal.
    package var statusText: String?

    package init(
        name: String, supervisor: String, state: String, pid: Int? = nil, isReady: Bool, isEssential: Bool,
        restarts: Int, pauseReasons: [String] = [], heldFor: String? = nil, nextAttempt: Double? = nil,
        attemptsLeft: Int? = nil, failuresForgotten: Double? = nil, lastExit: ExitReport? = nil, uptime: Double? = nil,
        statusText: String? = nil
    ) {
        self.name = name
        self.supervisor = supervisor
        self.state = state
        self.pid = pid
        self.isReady = isReady
        self.isEssential = isEssential
        self.restarts = restarts
        self.pauseReasons = pauseReasons
        self.heldFor = heldFor
        self.nextAttempt = nextAttempt
        self.attemptsLeft = attemptsLeft
        self.failuresForgotten = failuresForgotten
        self.lastExit = lastExit
        self.uptime = uptime
        self.statusText = statusText
    }
}

extension WorkerReport: JSONConvertible {
    private enum Key: String {
        case name
        case supervisor
        case state
        case pid
        case isReady = "ready"
        case isEssential = "essential"
        case restarts
        case pauseReasons = "pause_reasons"
        case heldFor = "held_for"
        case nextAttempt = "next_attempt_in_s"
        case attemptsLeft = "attempts_left"
        case failuresForgotten = "failures_forgotten_in_s"
        case lastExit = "last_exit"
        case uptime = "uptime_s"
        case statusText = "status_text"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name),
            supervisor: try json.required(Key.supervisor),
            state: try json.required(Key.state),
            pid: try json.optional(Key.pid),
            isReady: try json.required(Key.isReady),
            isEssential: try json.required(Key.isEssential),
            restarts: try json.required(Key.restarts),
            pauseReasons: try json.required(Key.pauseReasons),
            heldFor: try json.optional(Key.heldFor),
            nextAttempt: try json.optional(Key.nextAttempt),
            attemptsLeft: try json.optional(Key.attemptsLeft),
            failuresForgotten: try json.optional(Key.failuresForgotten),
            lastExit: try json.optional(Key.lastExit),
            uptime: try json.optional(Key.uptime),
            statusText: try json.optional(Key.statusText))
    }

    package var json: JSONValue {
        .object([
            Key.name: name,
            .supervisor: supervisor,
            .state: state,
            .pid: pid,
            .isReady: isReady,
            .isEssential: isEssential,
            .restarts: restarts,
            .pauseReasons: pauseReasons,
            .heldFor: heldFor,
            .nextAttempt: nextAttempt,
            .attemptsLeft: attemptsLeft,
            .failuresForgotten: failuresForgotten,
            .lastExit: lastExit,
            .uptime: uptime,
            .statusText: statusText,
        ])
    }
}
