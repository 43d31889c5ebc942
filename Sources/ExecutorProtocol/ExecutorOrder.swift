package import ControlProtocol

/// What `holdfast-executor` is started for: one command of one plugin, or a look at the plugin's file.
package struct ExecutorOrder: Equatable, Sendable {
    package enum Role: String, CaseIterable, Sendable {
        case command
        /// Nothing of it is carried out; its end is what it says of itself (`PluginDescription`).
        case inspection
    }

    package var role: Role
    package var plugin: String
    package var file: String
    /// In lower-case hexadecimal digits.
    package var sha256: String
    /// Besides root, who the file and its folder may belong to.
    package var owner: UInt32
    /// Of the command; empty for an inspection, as are those below.
    package var id: String
    package var kind: String
    package var timeLimit: Duration
    package var grants: Set<String>
    /// The plugin's own; `nil` when there is none.
    package var stateDirectory: String?
    /// Where models are kept, and how many bytes they may have together; `nil` where the plugin has nothing to do with them.
    package var modelFolder: String?
    package var modelBudget: Int

    package init(
        role: Role, plugin: String, file: String, sha256: String, owner: UInt32, id: String = "", kind: String = "",
        timeLimit: Duration, grants: Set<String> = [], stateDirectory: String? = nil,
        modelFolder: String? = nil, modelBudget: Int = 0
    ) {
        self.role = role
        self.plugin = plugin
        self.file = file
        self.sha256 = sha256
        self.owner = owner
        self.id = id
        self.kind = kind
        self.timeLimit = timeLimit
        self.grants = grants
        self.stateDirectory = stateDirectory
        self.modelFolder = modelFolder
        self.modelBudget = modelBudget
    }
}

extension ExecutorOrder: JSONConvertible {
    private enum Key: String {
        case role, plugin, file, sha256, owner, id, kind, grants
        case timeLimit = "time_limit_ns"
        case stateDirectory = "state_directory"
        case modelFolder = "model_folder"
        case modelBudget = "model_budget"
    }

    package init(json: JSONValue) throws(JSONError) {
        let name: String = try json.required(Key.role)
        guard let role = Role(rawValue: name) else {
            throw JSONError(.wrongType, at: Key.role.rawValue, "is not known: '\(name)'")
        }
        let owner: Int = try json.required(Key.owner)
        self.init(
            role: role, plugin: try json.required(Key.plugin), file: try json.required(Key.file),
            sha256: try json.required(Key.sha256), owner: UInt32(clamping: owner), id: try json.required(Key.id),
            kind: try json.required(Key.kind), timeLimit: .nanoseconds(try json.required(Key.timeLimit) as Int),
            grants: Set(try json.required(Key.grants) as [String]),
            stateDirectory: try json.optional(Key.stateDirectory),
            modelFolder: try json.optional(Key.modelFolder), modelBudget: try json.optional(Key.modelBudget) ?? 0)
    }

    package var json: JSONValue {
        .object([
            Key.role: role.rawValue, .plugin: plugin, .file: file, .sha256: sha256, .owner: Int(owner), .id: id,
            .kind: kind, .timeLimit: Int(timeLimit / .nanoseconds(1)), .grants: grants.sorted(),
            .stateDirectory: stateDirectory, .modelFolder: modelFolder, .modelBudget: modelBudget,
        ])
    }
}
