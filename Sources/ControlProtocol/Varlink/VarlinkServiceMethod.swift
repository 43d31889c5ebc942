/// The introspection that every Varlink service offers: interface org.varlink.service.
package enum VarlinkServiceMethod: Equatable, Sendable {
    case getInfo
    case getInterfaceDescription(interface: String)

    private enum Name: String {
        case getInfo = "GetInfo"
        case getInterfaceDescription = "GetInterfaceDescription"
    }

    private enum Key: String { case interface, description }

    /// - Parameter name: without the interface.
    init(name: String, call: VarlinkCall) throws(VarlinkServiceError) {
        var arguments = CallArguments(call)
        switch Name(rawValue: name) {
        case .getInfo: self = .getInfo
        case .getInterfaceDescription:
            self = .getInterfaceDescription(interface: try arguments.required(Key.interface))
        case nil: throw .methodNotFound(call.method)
        }
        try arguments.refuseOthers()
    }

    package var call: VarlinkCall {
        switch self {
        case .getInfo: VarlinkCall(method: Self.fullName(.getInfo))
        case .getInterfaceDescription(let interface):
            VarlinkCall(
                method: Self.fullName(.getInterfaceDescription),
                parameters: [Key.interface.rawValue: .string(interface)])
        }
    }

    /// What to answer; both methods need nothing but constants.
    package func reply(version: String) -> VarlinkReply {
        switch self {
        case .getInfo: return VarlinkReply(ServiceInfo(version: version))
        case .getInterfaceDescription(let interface):
            guard let definition = Self.definitions[interface] else {
                return VarlinkServiceError.interfaceNotFound(interface).reply
            }
            return VarlinkReply(parameters: [Key.description.rawValue: .string(definition)])
        }
    }

    private static func fullName(_ name: Name) -> String { "\(VarlinkServiceError.interface).\(name.rawValue)" }

    private static let definitions = [
        RuntimeInterface.name: RuntimeInterface.definition,
        VarlinkServiceError.interface: definition,
    ]

    /// As published at varlink.org/Service.
    static let definition = """
        # The Varlink Service Interface is provided by every varlink service. It
        # describes the service and the interfaces it implements.
        interface org.varlink.service

        # Get a list of all the interfaces a service provides and information
        # about the implementation.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # Get the description of an interface that is implemented by this service.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The requested interface was not found.
        error InterfaceNotFound (interface: string)

        # The requested method was not found
        error MethodNotFound (method: string)

        # The interface defines the requested method, but the service does not
        # implement it.
        error MethodNotImplemented (method: string)

        # One of the passed parameters is invalid.
        error InvalidParameter (parameter: string)

        # Client is denied access
        error PermissionDenied ()

        # Method is expected to be called with 'more' set to true, but wasn't
        error ExpectedMore ()

        """
}

/// The answer to `GetInfo`.
package struct ServiceInfo: Equatable, Sendable {
    package var vendor = "Holdfast"
    package var product = "Holdfast edge runtime"
    package var version: String
    /// Empty as long as the project has no page of its own.
    package var url = ""
    package var interfaces = [VarlinkServiceError.interface, RuntimeInterface.name]

    package init(version: String) {
        self.version = version
    }
}

extension ServiceInfo: JSONConvertible {
    private enum Key: String { case vendor, product, version, url, interfaces }

    package init(json: JSONValue) throws(JSONError) {
        version = try json.required(Key.version)
        vendor = try json.required(Key.vendor)
        product = try json.required(Key.product)
        url = try json.required(Key.url)
        interfaces = try json.required(Key.interfaces)
    }

    package var json: JSONValue {
        .object([
            Key.vendor: vendor, .product: product, .version: version, .url: url, .interfaces: interfaces,
        ])
    }
}
