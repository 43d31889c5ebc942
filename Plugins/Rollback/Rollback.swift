import HoldfastPlugin

/// Runs a version of a bundle again that was good, without the network.
///
///     bundle.rollback  {"bundle": "vision"}
///     bundle.rollback  {"bundle": "vision", "version": "1.4.1@fedcba9876543210", "force": true}
struct Rollback: Executor {
    static let plugin = PluginDescription(
        name: "rollback", version: "1.0.0", summary: "Takes bundles back.",
        kinds: [
            .init(
                "bundle.rollback", [.parallel, .repeatable, .cancellable],
                summary: "Runs an earlier version of a bundle again.")
        ], grants: [.bundle])

    func execute(_ command: Command, on host: Host) throws -> JSON {
        let payload = command.payload
        guard let bundle = payload["bundle"]?.string else {
            throw PluginFailure(#"the payload has to name a bundle, such as {"bundle": "vision"}"#)
        }
        var order: [String: JSON] = ["name": .string(bundle)]
        for key in ["version", "force"] { order[key] = payload[key] }
        return try host.request("bundle.rollback", .object(order)).answer
    }
}

@_cdecl("hf_plugin_entry_v1")
public func entry() -> UnsafeRawPointer { PluginEntry.descriptor(of: Rollback.self) }
