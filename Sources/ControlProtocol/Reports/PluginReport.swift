/// A plugin as it is configured, and what was found in its file: the reply of method Plugins.
package struct PluginReport: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        /// Nobody has looked at the file yet.
        case unchecked
        /// The file is the granted one, and can be loaded.
        case ready
        /// It is not loaded; `reason` says why.
        case refused
    }

    package var name: String
    package var file: String
    package var state: State
    package var reason: String?
    /// What the plugin says of itself; `nil` until it has been looked at.
    package var version: String?
    package var summary: String?
    /// Those that it may carry out here.
    package var kinds: [PluginKind]
    package var grants: [String]
    /// What it would like to be granted, and is not.
    package var missingGrants: [String]
    /// Commands under way, and those that wait.
    package var running: Int
    package var waiting: Int

    package init(
        name: String, file: String, state: State, reason: String? = nil, version: String? = nil,
        summary: String? = nil, kinds: [PluginKind] = [], grants: [String] = [], missingGrants: [String] = [],
        running: Int = 0, waiting: Int = 0
    ) {
        self.name = name
        self.file = file
        self.state = state
        self.reason = reason
        self.version = version
        self.summary = summary
        self.kinds = kinds
        self.grants = grants
        self.missingGrants = missingGrants
        self.running = running
        self.waiting = waiting
    }
}

/// A kind of commands, as the plugin declares it.
package struct PluginKind: Equatable, Sendable {
    package var name: String
    package var summary: String?
    /// Several may run at once.
    package var isParallel: Bool
    /// It does no harm when it is done twice.
    package var isRepeatable: Bool
    /// It ends by itself when it is told to.
    package var isCancellable: Bool

    package init(name: String, summary: String?, isParallel: Bool, isRepeatable: Bool, isCancellable: Bool) {
        self.name = name
        self.summary = summary
        self.isParallel = isParallel
        self.isRepeatable = isRepeatable
        self.isCancellable = isCancellable
    }
}

extension PluginKind: JSONConvertible {
    private enum Key: String {
        case name, summary
        case isParallel = "parallel"
        case isRepeatable = "repeatable"
        case isCancellable = "cancellable"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), summary: try json.optional(Key.summary),
            isParallel: try json.required(Key.isParallel), isRepeatable: try json.required(Key.isRepeatable),
            isCancellable: try json.required(Key.isCancellable))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .summary: summary, .isParallel: isParallel, .isRepeatable: isRepeatable,
            .isCancellable: isCancellable,
        ])
    }
}

extension PluginReport: JSONConvertible {
    private enum Key: String {
        case name, file, state, reason, version, summary, kinds, grants
        case missingGrants = "missing_grants"
        case running, waiting
    }

    package init(json: JSONValue) throws(JSONError) {
        let name: String = try json.required(Key.state)
        guard let state = State(rawValue: name) else {
            throw JSONError(.wrongType, at: Key.state.rawValue, "is not known: '\(name)'")
        }
        self.init(
            name: try json.required(Key.name), file: try json.required(Key.file), state: state,
            reason: try json.optional(Key.reason), version: try json.optional(Key.version),
            summary: try json.optional(Key.summary), kinds: try json.required(Key.kinds),
            grants: try json.required(Key.grants), missingGrants: try json.required(Key.missingGrants),
            running: try json.required(Key.running), waiting: try json.required(Key.waiting))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .file: file, .state: state.rawValue, .reason: reason, .version: version,
            .summary: summary, .kinds: kinds, .grants: grants, .missingGrants: missingGrants, .running: running,
            .waiting: waiting,
        ])
    }
}

package struct PluginsReply: Equatable, Sendable, JSONConvertible {
    package var plugins: [PluginReport]

    package init(plugins: [PluginReport]) { self.plugins = plugins }

    private enum Key: String { case plugins }

    package init(json: JSONValue) throws(JSONError) { plugins = try json.required(Key.plugins) }

    package var json: JSONValue { .object([Key.plugins: plugins]) }
}
