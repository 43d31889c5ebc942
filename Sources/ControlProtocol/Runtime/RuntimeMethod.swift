/// A method of io.holdfast.Runtime with its arguments. See docs/io.holdfast.Runtime.varlink.
package enum RuntimeMethod: Equatable, Sendable {
    case status
    case startWorker(name: String)
    case stopWorker(name: String)
    case restartWorker(name: String)
    case pauseWorker(name: String)
    case resumeWorker(name: String)
    /// - `since`: the last sequence number that the client has seen; only later events are sent. `nil`: all kept ones.
    case events(since: Int?, follow: Bool)
    /// - `since`: the last id that the client has seen; the first ones after it are answered, instead of the latest.
    case incidents(worker: String?, limit: Int?, since: Int? = nil)
    case logs(worker: String, lines: Int?, follow: Bool)
    case health
    case metrics
    case uplink
    case enrol(token: String)
    case reload
    /// - `binary`: an absolute path; `nil` for the file that the runtime was started from.
    case upgrade(binary: String?)
    case execute(ExecutionCall)
    case cancelExecution(id: String)
    case plugins
    case deploy(DeploymentOrder)
    case cancelDeployment(id: String)
    case deployments

    /// The methods' names without the interface.
    package enum Name: String, CaseIterable, Sendable {
        case status = "Status"
        case startWorker = "StartWorker"
        case stopWorker = "StopWorker"
        case restartWorker = "RestartWorker"
        case pauseWorker = "PauseWorker"
        case resumeWorker = "ResumeWorker"
        case events = "Events"
        case incidents = "Incidents"
        case logs = "Logs"
        case health = "Health"
        case metrics = "Metrics"
        case uplink = "Uplink"
        case enrol = "Enrol"
        case reload = "Reload"
        case upgrade = "Upgrade"
        case execute = "Execute"
        case cancelExecution = "CancelExecution"
        case plugins = "Plugins"
        case deploy = "Deploy"
        case cancelDeployment = "CancelDeployment"
        case deployments = "Deployments"
    }

    private enum Key: String { case name, since, follow, worker, limit, lines, binary, token, id }

    /// - Parameter name: without the interface.
    init(name: String, call: VarlinkCall) throws(VarlinkServiceError) {
        guard let name = Name(rawValue: name) else { throw .methodNotFound(call.method) }
        var arguments = CallArguments(call)
        self =
            switch name {
            case .status: .status
            case .startWorker: .startWorker(name: try arguments.required(Key.name))
            case .stopWorker: .stopWorker(name: try arguments.required(Key.name))
            case .restartWorker: .restartWorker(name: try arguments.required(Key.name))
            case .pauseWorker: .pauseWorker(name: try arguments.required(Key.name))
            case .resumeWorker: .resumeWorker(name: try arguments.required(Key.name))
            case .events:
                .events(
                    since: try arguments.count(Key.since), follow: try arguments.optional(Key.follow) ?? false)
            case .incidents:
                .incidents(
                    worker: try arguments.optional(Key.worker), limit: try arguments.count(Key.limit),
                    since: try arguments.count(Key.since))
            case .logs:
                .logs(
                    worker: try arguments.required(Key.worker), lines: try arguments.count(Key.lines),
                    follow: try arguments.optional(Key.follow) ?? false)
            case .health: .health
            case .metrics: .metrics
            case .uplink: .uplink
            case .enrol: .enrol(token: try arguments.required(Key.token))
            case .reload: .reload
            case .upgrade: .upgrade(binary: try arguments.optional(Key.binary))
            case .execute: .execute(try ExecutionCall(&arguments))
            case .cancelExecution: .cancelExecution(id: try arguments.required(Key.id))
            case .plugins: .plugins
            case .deploy: .deploy(try DeploymentOrder(&arguments))
            case .cancelDeployment: .cancelDeployment(id: try arguments.required(Key.id))
            case .deployments: .deployments
            }
        try arguments.refuseOthers()
        guard call.more || !isStream else { throw .expectedMore }
    }

    package var name: Name {
        switch self {
        case .status: .status
        case .startWorker: .startWorker
        case .stopWorker: .stopWorker
        case .restartWorker: .restartWorker
        case .pauseWorker: .pauseWorker
        case .resumeWorker: .resumeWorker
        case .events: .events
        case .incidents: .incidents
        case .logs: .logs
        case .health: .health
        case .metrics: .metrics
        case .uplink: .uplink
        case .enrol: .enrol
        case .reload: .reload
        case .upgrade: .upgrade
        case .execute: .execute
        case .cancelExecution: .cancelExecution
        case .plugins: .plugins
        case .deploy: .deploy
        case .cancelDeployment: .cancelDeployment
        case .deployments: .deployments
        }
    }

    /// Whether the method answers with several replies, and must be called with `more`.
    package var isStream: Bool {
        switch self {
        case .events, .logs, .execute, .deploy: true
        case .status, .startWorker, .stopWorker, .restartWorker, .pauseWorker, .resumeWorker, .incidents, .health,
            .metrics, .uplink, .enrol, .reload, .upgrade, .cancelExecution, .plugins, .cancelDeployment, .deployments:
            false
        }
    }

    /// Whether the method changes anything, and so needs the right to do so.
    package var changesState: Bool {
        switch self {
        case .startWorker, .stopWorker, .restartWorker, .pauseWorker, .resumeWorker, .enrol, .reload, .upgrade,
            .execute, .cancelExecution, .deploy, .cancelDeployment:
            true
        case .status, .events, .incidents, .logs, .health, .metrics, .uplink, .plugins, .deployments: false
        }
    }

    /// The client's message, with `more` where the method is a stream.
    package var call: VarlinkCall {
        var parameters = JSONObject()
        switch self {
        case .status, .health, .metrics, .uplink, .reload, .plugins, .deployments: break
        case .execute(let call): parameters = call.parameters
        case .cancelExecution(let id), .cancelDeployment(let id): parameters[Key.id.rawValue] = .string(id)
        case .deploy(let order): parameters = order.parameters
        case .enrol(let token): parameters[Key.token.rawValue] = .string(token)
        case .upgrade(let binary): parameters[Key.binary.rawValue] = binary?.json
        case .startWorker(let name), .stopWorker(let name), .restartWorker(let name), .pauseWorker(let name),
            .resumeWorker(let name):
            parameters[Key.name.rawValue] = .string(name)
        case .events(let since, let follow):
            parameters[Key.since.rawValue] = since?.json
            parameters[Key.follow.rawValue] = follow ? true : nil
        case .incidents(let worker, let limit, let since):
            parameters[Key.since.rawValue] = since?.json
            parameters[Key.worker.rawValue] = worker?.json
            parameters[Key.limit.rawValue] = limit?.json
        case .logs(let worker, let lines, let follow):
            parameters[Key.worker.rawValue] = worker.json
            parameters[Key.lines.rawValue] = lines?.json
            parameters[Key.follow.rawValue] = follow ? true : nil
        }
        return VarlinkCall(
            method: "\(RuntimeInterface.name).\(name.rawValue)", parameters: parameters, more: isStream)
    }
}
