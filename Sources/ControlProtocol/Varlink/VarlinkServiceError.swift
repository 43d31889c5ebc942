/// The errors that every Varlink service may answer (varlink.org, "Errors", and the interface org.varlink.service).
package enum VarlinkServiceError: Error, Equatable, Sendable {
    case interfaceNotFound(String)
    case methodNotFound(String)
    case methodNotImplemented(String)
    /// The named parameter is missing, unknown or of another type.
    case invalidParameter(String)
    case permissionDenied
    /// The method answers with several replies, and the call lacks `more`.
    case expectedMore

    package static let interface = "org.varlink.service"

    private enum Name: String {
        case interfaceNotFound = "org.varlink.service.InterfaceNotFound"
        case methodNotFound = "org.varlink.service.MethodNotFound"
        case methodNotImplemented = "org.varlink.service.MethodNotImplemented"
        case invalidParameter = "org.varlink.service.InvalidParameter"
        case permissionDenied = "org.varlink.service.PermissionDenied"
        case expectedMore = "org.varlink.service.ExpectedMore"
    }

    private enum Key: String { case interface, method, parameter }

    package var reply: VarlinkReply {
        let (name, parameters): (Name, JSONObject) =
            switch self {
            case .interfaceNotFound(let interface): (.interfaceNotFound, [Key.interface.rawValue: .string(interface)])
            case .methodNotFound(let method): (.methodNotFound, [Key.method.rawValue: .string(method)])
            case .methodNotImplemented(let method): (.methodNotImplemented, [Key.method.rawValue: .string(method)])
            case .invalidParameter(let name): (.invalidParameter, [Key.parameter.rawValue: .string(name)])
            case .permissionDenied: (.permissionDenied, [:])
            case .expectedMore: (.expectedMore, [:])
            }
        return VarlinkReply(parameters: parameters, error: name.rawValue)
    }

    /// `nil` when the reply is none of these errors.
    package init?(_ reply: VarlinkReply) {
        guard let name = reply.error.flatMap(Name.init(rawValue:)) else { return nil }
        func detail(_ key: Key) -> String { reply.parameters[key.rawValue]?.stringValue ?? "" }
        self =
            switch name {
            case .interfaceNotFound: .interfaceNotFound(detail(.interface))
            case .methodNotFound: .methodNotFound(detail(.method))
            case .methodNotImplemented: .methodNotImplemented(detail(.method))
            case .invalidParameter: .invalidParameter(detail(.parameter))
            case .permissionDenied: .permissionDenied
            case .expectedMore: .expectedMore
            }
    }
}
