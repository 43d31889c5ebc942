package import ControlProtocol

/// What `holdfastd` tells `holdfast-executor`: one JSON object per packet of the inherited socket, told apart by "type".
package enum ExecutorRequest: Equatable, Sendable {
    /// The first packet, and the only order that a process gets.
    case execute(ExecutorOrder)
    /// The command's payload, JSON as text, in parts that fit a packet.
    case payload(part: String, isLast: Bool)
    /// A Varlink connection comes along (io.holdfast.Runtime), for those methods only that the plugin was granted. A second one
    /// follows where something is granted that lasts: Deploy, or Events for a keeper of deployments.
    case control
    /// A datagram socket comes along that takes telemetry.
    case telemetry
    /// The answer to `ExecutorReport.startHost`: the executor's end of the plugin host's socket comes along.
    case host
    /// The other part of the answer: what the plugin host prints can be read from the descriptor that comes along.
    case output
    /// The plugin host has ended, with all that it has started.
    case hostEnded(HostEnd)
    /// The command is to end.
    case cancel(reason: String)
    /// The first packet of a process that keeps deployments instead of executing a command; no plugin host ever belongs to it.
    case keepDeployments(DeploymentSettings)
    /// A packet socket to the uplink comes along, for downloads (`DownloadRequest`). It takes the place of the one before.
    case downloads
    /// Somebody asks for a deployment. How it stands is told by `ExecutorReport.deployment`, whatever becomes of it.
    case deploy(DeploymentOrder)
    /// A deployment is to end. What is not under way is ignored.
    case cancelDeployment(id: String)
    /// The answer to `ExecutorReport.apply` and `.selfTest`; the problem is `nil` when it has succeeded.
    case stepEnded(step: Int, problem: String?)
    /// The workers of a bundle's current version crash again and again.
    case crashLooped(bundle: String, text: String)
    /// From a newer holdfastd.
    case unknown(type: String)
}

/// How a plugin host has ended.
package struct HostEnd: Equatable, Sendable {
    package enum Status: Equatable, Sendable {
        case exited(Int)
        case signaled(Int)
        /// It never ran, and why.
        case notStarted(String)
        case unknown
    }

    package var status: Status
    /// It needed more memory than it was allowed.
    package var isOutOfMemory: Bool

    package init(_ status: Status, isOutOfMemory: Bool = false) {
        self.status = status
        self.isOutOfMemory = isOutOfMemory
    }
}

extension HostEnd: JSONConvertible {
    private enum Key: String { case exited, signaled, message, isOutOfMemory = "out_of_memory" }

    package init(json: JSONValue) throws(JSONError) {
        if let code: Int = try json.optional(Key.exited) {
            status = .exited(code)
        } else if let signal: Int = try json.optional(Key.signaled) {
            status = .signaled(signal)
        } else if let message: String = try json.optional(Key.message) {
            status = .notStarted(message)
        } else {
            status = .unknown
        }
        isOutOfMemory = try json.optional(Key.isOutOfMemory) ?? false
    }

    package var json: JSONValue {
        switch status {
        case .exited(let code): .object([Key.exited: code, .isOutOfMemory: isOutOfMemory])
        case .signaled(let signal): .object([Key.signaled: signal, .isOutOfMemory: isOutOfMemory])
        case .notStarted(let message): .object([Key.message: message, .isOutOfMemory: isOutOfMemory])
        case .unknown: .object([Key.isOutOfMemory: isOutOfMemory])
        }
    }
}

extension ExecutorRequest: JSONConvertible {
    private enum Key: String { case type, order, part, last, end, reason, settings, id, step, problem, bundle, text }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "execute": self = .execute(try json.required(Key.order))
        case "payload": self = .payload(part: try json.required(Key.part), isLast: try json.required(Key.last))
        case "control": self = .control
        case "telemetry": self = .telemetry
        case "host": self = .host
        case "output": self = .output
        case "host-ended": self = .hostEnded(try json.required(Key.end))
        case "keep-deployments": self = .keepDeployments(try json.required(Key.settings))
        case "downloads": self = .downloads
        case "deploy": self = .deploy(try json.required(Key.order))
        case "cancel-deployment": self = .cancelDeployment(id: try json.required(Key.id))
        case "step-ended":
            self = .stepEnded(step: try json.required(Key.step), problem: try json.optional(Key.problem))
        case "crash-looped":
            self = .crashLooped(bundle: try json.required(Key.bundle), text: try json.required(Key.text))
        case "cancel": self = .cancel(reason: try json.required(Key.reason))
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .execute(let order): .object([Key.type: "execute", .order: order])
        case .payload(let part, let isLast): .object([Key.type: "payload", .part: part, .last: isLast])
        case .control: .object([Key.type: "control"])
        case .telemetry: .object([Key.type: "telemetry"])
        case .host: .object([Key.type: "host"])
        case .output: .object([Key.type: "output"])
        case .hostEnded(let end): .object([Key.type: "host-ended", .end: end])
        case .keepDeployments(let settings): .object([Key.type: "keep-deployments", .settings: settings])
        case .downloads: .object([Key.type: "downloads"])
        case .deploy(let order): .object([Key.type: "deploy", .order: order])
        case .cancelDeployment(let id): .object([Key.type: "cancel-deployment", .id: id])
        case .stepEnded(let step, let problem): .object([Key.type: "step-ended", .step: step, .problem: problem])
        case .crashLooped(let bundle, let text):
            .object([Key.type: "crash-looped", .bundle: bundle, .text: text])
        case .cancel(let reason): .object([Key.type: "cancel", .reason: reason])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
