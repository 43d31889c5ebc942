/// How the link to central stands: what `holdfast uplink` shows.
package struct UplinkStatus: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        /// There is no enrolment; telemetry is kept on disk.
        case notEnrolled = "not-enrolled"
        case enrolling
        /// An operator of central has to approve the device.
        case pending
        case connected
        /// Central does not answer; it is tried again.
        case offline
        /// Central does not want this device.
        case refused
    }

    package var state: State
    /// Why it is in that state, for a person; `nil` where the state says it all.
    package var reason: String?
    /// Address of central, and the id that the device has there.
    package var central: String?
    package var device: String?
    /// For how long the state has lasted, in seconds.
    package var since: Double
    package var nextAttemptIn: Double?
    /// What is to be added to this device's clock for central's, in seconds.
    package var clockOffset: Double?
    package var queues: [Queue]
    package var warnings: [String]

    package struct Queue: Equatable, Sendable {
        package var name: String
        package var id: String
        /// In bytes.
        package var used: Int
        package var quota: Int
        /// Numbers of records: the last that central has, and the last that was written.
        package var acknowledged: Int
        package var written: Int
        package var dropped: Int
        package var expired: Int
        package var lost: Int
        package var refused: Int

        package init(
            name: String, id: String, used: Int, quota: Int, acknowledged: Int, written: Int, dropped: Int,
            expired: Int,
            lost: Int, refused: Int
        ) {
            self.name = name
            self.id = id
            self.used = used
            self.quota = quota
            self.acknowledged = acknowledged
            self.written = written
            self.dropped = dropped
            self.expired = expired
            self.lost = lost
            self.refused = refused
        }
    }

    package init(
        state: State, reason: String? = nil, central: String? = nil, device: String? = nil, since: Double,
        nextAttemptIn: Double? = nil, clockOffset: Double? = nil, queues: [Queue], warnings: [String] = []
    ) {
        self.state = state
        self.reason = reason
        self.central = central
        self.device = device
        self.since = since
        self.nextAttemptIn = nextAttemptIn
        self.clockOffset = clockOffset
        self.queues = queues
        self.warnings = warnings
    }
}

extension UplinkStatus: JSONConvertible {
    private enum Key: String {
        case state, reason, central, device, queues, warnings
        case since = "since_s"
        case nextAttemptIn = "next_attempt_in_s"
        case clockOffset = "clock_offset_s"
    }

    package init(json: JSONValue) throws(JSONError) {
        let name: String = try json.required(Key.state)
        guard let state = State(rawValue: name) else {
            throw JSONError(.wrongType, at: Key.state.rawValue, "is not known: '\(name)'")
        }
        self.init(
            state: state, reason: try json.optional(Key.reason), central: try json.optional(Key.central),
            device: try json.optional(Key.device), since: try json.required(Key.since),
            nextAttemptIn: try json.optional(Key.nextAttemptIn), clockOffset: try json.optional(Key.clockOffset),
            queues: try json.required(Key.queues), warnings: try json.required(Key.warnings))
    }

    package var json: JSONValue {
        .object([
            Key.state: state.rawValue, .reason: reason, .central: central, .device: device, .since: since,
            .nextAttemptIn: nextAttemptIn, .clockOffset: clockOffset, .queues: queues, .warnings: warnings,
        ])
    }
}

extension UplinkStatus.Queue: JSONConvertible {
    private enum Key: String {
        case name, id, used, quota, acknowledged, written, dropped, expired, lost, refused
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), id: try json.required(Key.id), used: try json.required(Key.used),
            quota: try json.required(Key.quota), acknowledged: try json.required(Key.acknowledged),
            written: try json.required(Key.written), dropped: try json.required(Key.dropped),
            expired: try json.required(Key.expired), lost: try json.required(Key.lost),
            refused: try json.required(Key.refused))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .id: id, .used: used, .quota: quota, .acknowledged: acknowledged, .written: written,
            .dropped: dropped, .expired: expired, .lost: lost, .refused: refused,
        ])
    }
}
