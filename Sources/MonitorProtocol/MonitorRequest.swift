package import ControlProtocol

/// What `holdfastd` tells `holdfast-monitor`: one JSON object per packet of the inherited socket, told apart by "type".
package enum MonitorRequest: Equatable, Sendable {
    /// The first packet, and again after each reload.
    case configure(MonitorSettings)
    /// A pressure trigger of the kernel comes along, open (/proc/pressure; it shows POLLPRI when it fires). Replaces the
    /// one of the same resource.
    case pressureTrigger(PressureResource)
    /// A worker is new, or something about it has changed.
    case worker(MonitoredWorker)
    /// A worker has left the tree.
    case forget(worker: String)
    /// After each packet of the kinds above that belong together: the tree is as it was told.
    case workersComplete
    /// To be answered with `MonitorReport.answer`.
    case question(id: Int, Question)
    /// From a newer holdfastd.
    case unknown(type: String)

    package enum Question: String, Sendable {
        /// A `HealthReport` as JSON.
        case health
        /// Prometheus' text format.
        case metrics
    }
}

/// What there can be too little of, as the kernel counts it (/proc/pressure).
package enum PressureResource: String, CaseIterable, Sendable {
    case memory
    case processor = "cpu"
    case disk = "io"
}

extension MonitorRequest: JSONConvertible {
    private enum Key: String { case type, settings, resource, worker, name, id, question }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "configure": self = .configure(try json.required(Key.settings))
        case "pressure-trigger":
            let name: String = try json.required(Key.resource)
            guard let resource = PressureResource(rawValue: name) else { fallthrough }
            self = .pressureTrigger(resource)
        case "worker": self = .worker(try json.required(Key.worker))
        case "forget": self = .forget(worker: try json.required(Key.name))
        case "workers-complete": self = .workersComplete
        case "question":
            let name: String = try json.required(Key.question)
            guard let question = Question(rawValue: name) else { fallthrough }
            self = .question(id: try json.required(Key.id), question)
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .configure(let settings): .object([Key.type: "configure", .settings: settings])
        case .pressureTrigger(let resource): .object([Key.type: "pressure-trigger", .resource: resource.rawValue])
        case .worker(let worker): .object([Key.type: "worker", .worker: worker])
        case .forget(let name): .object([Key.type: "forget", .name: name])
        case .workersComplete: .object([Key.type: "workers-complete"])
        case .question(let id, let question):
            .object([Key.type: "question", .id: id, .question: question.rawValue])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
