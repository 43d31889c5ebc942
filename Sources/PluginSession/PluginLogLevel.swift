/// How much a line of a plugin matters.
package enum PluginLogLevel: Int32, Sendable, CaseIterable {
    case debug, info, warning, error

    /// "debug", "info", "warning" or "error".
    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}
