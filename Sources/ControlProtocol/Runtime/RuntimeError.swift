/// The errors of io.holdfast.Runtime.
package enum RuntimeError: Error, Equatable, Sendable {
    case noSuchWorker(name: String)
    case notPermitted(message: String)
    /// Each problem as `file:line:column: key: what is wrong`.
    case configurationInvalid(problems: [String])
    case outputUnavailable(message: String)
    /// `holdfast-monitor` does not run, or does not answer.
    case monitorUnavailable(message: String)
    /// `holdfast-uplink` does not run, or does not answer.
    case uplinkUnavailable(message: String)
    /// The token is none, or belongs to something else than this device may join.
    case enrolmentRefused(message: String)
    /// The new binary cannot take over; the old one runs on.
    case upgradeRefused(message: String)
    /// The command is not carried out, and why: no plugin for its kind, one that was refused, another command under its id.
    case executionRefused(message: String)
    /// There is no command with this id, or nobody knows of it any more.
    case noSuchExecution(id: String)
    /// The deployment is not begun, and why.
    case deploymentRefused(message: String)
    /// There is no deployment with this id under way.
    case noSuchDeployment(id: String)
    /// The runtime is stopping, or has too many clients.
    case unavailable(message: String)

    private enum Name: String, CaseIterable {
        case noSuchWorker = "NoSuchWorker"
        case notPermitted = "NotPermitted"
        case configurationInvalid = "ConfigurationInvalid"
        case outputUnavailable = "OutputUnavailable"
        case monitorUnavailable = "MonitorUnavailable"
        case uplinkUnavailable = "UplinkUnavailable"
        case enrolmentRefused = "EnrolmentRefused"
        case upgradeRefused = "UpgradeRefused"
        case executionRefused = "ExecutionRefused"
        case noSuchExecution = "NoSuchExecution"
        case deploymentRefused = "DeploymentRefused"
        case noSuchDeployment = "NoSuchDeployment"
        case unavailable = "Unavailable"

        var fullName: String { "\(RuntimeInterface.name).\(rawValue)" }
    }

    private enum Key: String { case name, message, problems, id }

    package var reply: VarlinkReply {
        let (name, parameters): (Name, JSONObject) =
            switch self {
            case .noSuchWorker(let name): (.noSuchWorker, [Key.name.rawValue: name.json])
            case .notPermitted(let message): (.notPermitted, [Key.message.rawValue: message.json])
            case .configurationInvalid(let problems): (.configurationInvalid, [Key.problems.rawValue: problems.json])
            case .outputUnavailable(let message): (.outputUnavailable, [Key.message.rawValue: message.json])
            case .monitorUnavailable(let message): (.monitorUnavailable, [Key.message.rawValue: message.json])
            case .uplinkUnavailable(let message): (.uplinkUnavailable, [Key.message.rawValue: message.json])
            case .enrolmentRefused(let message): (.enrolmentRefused, [Key.message.rawValue: message.json])
            case .upgradeRefused(let message): (.upgradeRefused, [Key.message.rawValue: message.json])
            case .executionRefused(let message): (.executionRefused, [Key.message.rawValue: message.json])
            case .noSuchExecution(let id): (.noSuchExecution, [Key.id.rawValue: id.json])
            case .deploymentRefused(let message): (.deploymentRefused, [Key.message.rawValue: message.json])
            case .noSuchDeployment(let id): (.noSuchDeployment, [Key.id.rawValue: id.json])
            case .unavailable(let message): (.unavailable, [Key.message.rawValue: message.json])
            }
        return VarlinkReply(parameters: parameters, error: name.fullName)
    }

    /// `nil` when the reply is none of these errors. Details that are missing are empty: the error's name says enough.
    package init?(_ reply: VarlinkReply) {
        guard let name = Name.allCases.first(where: { $0.fullName == reply.error }) else { return nil }
        let message = reply.parameters[Key.message.rawValue]?.stringValue ?? ""
        self =
            switch name {
            case .noSuchWorker: .noSuchWorker(name: reply.parameters[Key.name.rawValue]?.stringValue ?? "")
            case .notPermitted: .notPermitted(message: message)
            case .configurationInvalid:
                .configurationInvalid(
                    problems: (reply.parameters[Key.problems.rawValue]?.arrayValue ?? []).compactMap(\.stringValue))
            case .outputUnavailable: .outputUnavailable(message: message)
            case .monitorUnavailable: .monitorUnavailable(message: message)
            case .uplinkUnavailable: .uplinkUnavailable(message: message)
            case .enrolmentRefused: .enrolmentRefused(message: message)
            case .upgradeRefused: .upgradeRefused(message: message)
            case .executionRefused: .executionRefused(message: message)
            case .noSuchExecution: .noSuchExecution(id: reply.parameters[Key.id.rawValue]?.stringValue ?? "")
            case .deploymentRefused: .deploymentRefused(message: message)
            case .noSuchDeployment: .noSuchDeployment(id: reply.parameters[Key.id.rawValue]?.stringValue ?? "")
            case .unavailable: .unavailable(message: message)
            }
    }
}
