/// A `[[plugin]]`: a library that carries out commands, and what it is granted.
package struct PluginSettings: Equatable, Sendable {
    package var name: String
    /// Of the library.
    package var file: String
    /// What the library has to have, in lower-case hexadecimal digits.
    package var sha256: String
    /// Which of its kinds of commands it may carry out; `nil` for all that it says it does.
    package var kinds: [String]?
    package var grants: Set<PluginGrant>
    /// Of the process that the library is loaded in, in bytes.
    package var memoryMax: Int64
    /// For each command that brings no shorter one.
    package var timeLimit: Duration
    /// Commands at a time, of kinds that the library says may run beside others.
    package var parallel: Int
}

/// What a plugin may do besides carrying out its commands, telling of their progress, and keeping files in its own folder.
package enum PluginGrant: String, CaseIterable, Comparable, Sendable {
    case artifact, bundle, model
    case treeRead = "tree-read"
    case treeControl = "tree-control"
    case network

    package static func < (left: PluginGrant, right: PluginGrant) -> Bool { left.rawValue < right.rawValue }
}
