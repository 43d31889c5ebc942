package import ControlProtocol

/// What `holdfastd` tells `holdfast-uplink`: one JSON object per packet of the inherited socket, told apart by "type".
package enum UplinkRequest: Equatable, Sendable {
    /// The first packet, and again after each reload.
    case configure(UplinkSettings)
    /// A worker's telemetry socket comes along, bound (AF_UNIX, SOCK_DGRAM). Replaces the one of the same worker.
    case telemetry(worker: String, TelemetryLimits)
    /// A worker has left the tree.
    case forget(worker: String)
    /// After each packet of the kinds above that belong together: the tree is as it was told.
    case workersComplete
    /// The answer to `UplinkReport.openControl`: a connected stream socket comes along that speaks Varlink
    /// (io.holdfast.Runtime), with those methods only that the uplink may call.
    case control(id: Int)
    /// A packet socket to an executor comes along, which asks for downloads there (`DownloadRequest`). It ends with the executor.
    case downloads
    /// To be answered with `UplinkReport.answer`.
    case question(id: Int, Question)
    /// From a newer holdfastd.
    case unknown(type: String)

    package enum Question: Equatable, Sendable {
        /// An `UplinkStatus` as JSON.
        case status
        /// Enrol with this token from now on. Answered once it is kept, or refused: `{"refused": null}` or why.
        case enrol(token: String)
    }
}

/// What a worker may send.
package struct TelemetryLimits: Equatable, Sendable, JSONConvertible {
    /// Readings and events a second, in the long run.
    package var rate: Int

    package init(rate: Int) { self.rate = rate }

    private enum Key: String { case rate }

    package init(json: JSONValue) throws(JSONError) { rate = try json.required(Key.rate) }

    package var json: JSONValue { .object([Key.rate: rate]) }
}

extension UplinkRequest: JSONConvertible {
    private enum Key: String { case type, settings, worker, limits, id, question, token }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "configure": self = .configure(try json.required(Key.settings))
        case "telemetry":
            self = .telemetry(worker: try json.required(Key.worker), try json.required(Key.limits))
        case "forget": self = .forget(worker: try json.required(Key.worker))
        case "workers-complete": self = .workersComplete
        case "control": self = .control(id: try json.required(Key.id))
        case "downloads": self = .downloads
        case "question":
            let id: Int = try json.required(Key.id)
            switch try json.required(Key.question) as String {
            case "status": self = .question(id: id, .status)
            case "enrol": self = .question(id: id, .enrol(token: try json.required(Key.token)))
            default: self = .unknown(type: type)
            }
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .configure(let settings): .object([Key.type: "configure", .settings: settings])
        case .telemetry(let worker, let limits):
            .object([Key.type: "telemetry", .worker: worker, .limits: limits])
        case .forget(let worker): .object([Key.type: "forget", .worker: worker])
        case .workersComplete: .object([Key.type: "workers-complete"])
        case .control(let id): .object([Key.type: "control", .id: id])
        case .downloads: .object([Key.type: "downloads"])
        case .question(let id, .status): .object([Key.type: "question", .id: id, .question: "status"])
        case .question(let id, .enrol(let token)):
            .object([Key.type: "question", .id: id, .question: "enrol", .token: token])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
