/// What executes commands. A plugin is one such type, and one function that exports it:
///
///     struct Lamp: Executor {
///         static let plugin = PluginDescription(
///             name: "lamp", version: "1.0.0", kinds: [.init("lamp.blink", [.repeatable, .cancellable])])
///
///         func execute(_ command: Command, on host: Host) throws -> JSON {
///             host.log(.info, "on it")
///             return ["done": true]
///         }
///     }
///
///     @_cdecl("hf_plugin_entry_v1")
///     public func entry() -> UnsafeRawPointer { PluginEntry.descriptor(of: Lamp.self) }
///
/// A new process is started for each command, so nothing is kept in memory from one to the next.
public protocol Executor {
    /// What Holdfast is told of the plugin.
    static var plugin: PluginDescription { get }

    init()

    /// Executes one command, on the main thread.
    /// - Returns: the command's result.
    /// - Throws: why it failed: the error's description is what the operator reads. `PluginFailure` has just words.
    func execute(_ command: Command, on host: Host) throws -> JSON
}

/// Why a command failed, in words for an operator.
public struct PluginFailure: Error, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
