/// What a client of the control socket asks for: the one place where a call is taken apart, for every server.
package enum ControlRequest: Equatable, Sendable {
    case service(VarlinkServiceMethod)
    case runtime(RuntimeMethod)

    /// Throws what to answer when the call asks for nothing that exists.
    package init(_ call: VarlinkCall) throws(VarlinkServiceError) {
        guard let dot = call.method.lastIndex(of: ".") else { throw .interfaceNotFound(call.method) }
        let interface = String(call.method[..<dot])
        let name = String(call.method[call.method.index(after: dot)...])
        // No method of ours can be upgraded to another protocol.
        guard !call.upgrade else { throw .methodNotImplemented(call.method) }
        switch interface {
        case VarlinkServiceError.interface: self = .service(try VarlinkServiceMethod(name: name, call: call))
        case RuntimeInterface.name: self = .runtime(try RuntimeMethod(name: name, call: call))
        default: throw .interfaceNotFound(interface)
        }
    }
}
