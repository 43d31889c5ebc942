import ControlProtocol

/// What has become of a command, or of a look at a plugin.
enum ExecutionEnd: Equatable {
    case succeeded(JSONValue)
    /// - code: a stable word; those of plugins are PluginSession's.
    case failed(code: String, message: String)

    /// The codes of what happens on this side.
    enum Code {
        /// `holdfast-executor`, or what it needs, has failed; the plugin is not to blame.
        static let executor = "executor"
        static let cancelled = "cancelled"
        /// The runtime was stopped or replaced over it.
        static let interrupted = "interrupted"
        /// Its plugin was taken out of the configuration, or is refused by now.
        static let refused = "refused"
    }

    func reply(plugin: String) -> ExecutionReply {
        switch self {
        case .succeeded(let result): ExecutionReply(state: .succeeded, plugin: plugin, result: result)
        case .failed(let code, let message):
            ExecutionReply(state: .failed, plugin: plugin, message: message, code: code)
        }
    }
}
