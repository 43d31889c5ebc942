package import ControlProtocol

/// What a plugin says of itself, as an inspection has found it.
package struct PluginDescription: Equatable, Sendable {
    package var name: String
    package var version: String
    package var summary: String?
    package var kinds: [PluginKind]
    /// What it would like to be granted.
    package var grants: [String]

    package init(name: String, version: String, summary: String?, kinds: [PluginKind], grants: [String]) {
        self.name = name
        self.version = version
        self.summary = summary
        self.kinds = kinds
        self.grants = grants
    }
}

extension PluginDescription: JSONConvertible {
    private enum Key: String { case name, version, summary, kinds, grants }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), version: try json.required(Key.version),
            summary: try json.optional(Key.summary), kinds: try json.required(Key.kinds),
            grants: try json.required(Key.grants))
    }

    package var json: JSONValue {
        .object([Key.name: name, .version: version, .summary: summary, .kinds: kinds, .grants: grants])
    }
}
