package import ControlProtocol

/// What the keeper of deployments has to know: an executor without a plugin.
package struct DeploymentSettings: Equatable, Sendable {
    /// The bundle store's folder.
    package var store: String
    /// The file with the trusted root.
    package var trustedRoot: String
    /// For bundles that require it; `nil` where the device was not told what it is.
    package var hardware: String?
    /// Of all content in the store, in bytes; `nil` for no limit.
    package var quota: Int?
    /// A download that is slower over half a minute is broken off and tried again, in bytes a second.
    package var minimumSpeed: Int

    package init(store: String, trustedRoot: String, hardware: String?, quota: Int?, minimumSpeed: Int) {
        self.store = store
        self.trustedRoot = trustedRoot
        self.hardware = hardware
        self.quota = quota
        self.minimumSpeed = minimumSpeed
    }
}

extension DeploymentSettings: JSONConvertible {
    private enum Key: String {
        case store, hardware, quota
        case trustedRoot = "trusted_root"
        case minimumSpeed = "minimum_speed"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            store: try json.required(Key.store), trustedRoot: try json.required(Key.trustedRoot),
            hardware: try json.optional(Key.hardware), quota: try json.optional(Key.quota),
            minimumSpeed: try json.required(Key.minimumSpeed))
    }

    package var json: JSONValue {
        .object([
            Key.store: store, .trustedRoot: trustedRoot, .hardware: hardware, .quota: quota,
            .minimumSpeed: minimumSpeed,
        ])
    }
}
