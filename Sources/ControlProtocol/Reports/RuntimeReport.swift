/// The runtime itself: type Runtime of the interface.
package struct RuntimeReport: Equatable, Sendable {
    package var version: String
    package var pid: Int
    /// `starting`, `running` or `stopping`.
    package var state: String
    /// In seconds.
    package var uptime: Double
    /// As configured.
    package var name: String
    /// What an operator should know, such as "not started as root".
    package var warnings: [String]

    package init(
        version: String, pid: Int, state: String, uptime: Double, name: String, warnings: [String] = []
    ) {
        self.version = version
        self.pid = pid
        self.state = state
        self.uptime = uptime
        self.name = name
        self.warnings = warnings
    }
}

extension RuntimeReport: JSONConvertible {
    private enum Key: String {
        case version
        case pid
        case state
        case uptime = "uptime_s"
        case name
        case warnings
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            version: try json.required(Key.version),
            pid: try json.required(Key.pid),
            state: try json.required(Key.state),
            uptime: try json.required(Key.uptime),
            name: try json.required(Key.name),
            warnings: try json.required(Key.warnings))
    }

    package var json: JSONValue {
        .object([
            Key.version: version,
            .pid: pid,
            .state: state,
            .uptime: uptime,
            .name: name,
            .warnings: warnings,
        ])
    }
}
