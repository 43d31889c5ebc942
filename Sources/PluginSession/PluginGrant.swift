/// What a plugin may be granted, by the names in manifests and configurations.
package enum PluginGrant: String, Sendable, Hashable, CaseIterable {
    case artifact
    case bundle
    case model
    case treeRead = "tree-read"
    case treeControl = "tree-control"
    case telemetry
    case network
}
