import ControlProtocol
import Foundation
import Testing

struct RuntimeInterfaceTests {
    private let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func `the served definition is the documented one`() throws {
        let documented = try String(
            contentsOf: repository.appending(path: "docs/io.holdfast.Runtime.varlink"), encoding: .utf8)
        #expect(RuntimeInterface.definition == documented)
    }

    @Test func `the definition declares exactly the methods that are served`() {
        let declared = RuntimeInterface.definition.split(separator: "\n")
            .filter { $0.hasPrefix("method ") }
            .map { String($0.dropFirst("method ".count).prefix { $0 != "(" }) }
        #expect(Set(declared) == Set(RuntimeMethod.Name.allCases.map(\.rawValue)))
    }

    @Test func `GetInfo names both interfaces`() throws {
        let reply = VarlinkServiceMethod.getInfo.reply(version: "1.2.3")
        let info = try ServiceInfo(json: .object(reply.parameters))
        #expect(info.version == "1.2.3")
        #expect(info.interfaces == ["org.varlink.service", "io.holdfast.Runtime"])
    }

    @Test(arguments: ["io.holdfast.Runtime", "org.varlink.service"])
    func `every named interface has a description`(interface: String) {
        let reply = VarlinkServiceMethod.getInterfaceDescription(interface: interface).reply(version: "1")
        #expect(reply.parameters["description"]?.stringValue?.contains("interface \(interface)\n") == true)
    }

    @Test func `an unknown interface has none`() {
        let reply = VarlinkServiceMethod.getInterfaceDescription(interface: "a.b").reply(version: "1")
        #expect(VarlinkServiceError(reply) == .interfaceNotFound("a.b"))
    }
}
