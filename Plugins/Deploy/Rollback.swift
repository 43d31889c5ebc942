import HoldfastPlugin

/// Running a version again that was good, without the network: the one named, or the one before the current one.
///
///     bundle.rollback  {"bundle": "vision", "version": "1.4.1@fedcba9876543210", "force": true}
extension Deploy {
    func rollback(_ payload: JSON, _ host: Host) throws -> JSON {
        guard let bundle = payload["bundle"]?.string else {
            throw PluginFailure(#"the payload has to name a bundle, such as {"bundle": "vision"}"#)
        }
        var order: [String: JSON] = ["name": .string(bundle)]
        for key in ["version", "force"] { order[key] = payload[key] }
        return try host.request("bundle.rollback", .object(order)).answer
    }
}
