/// One reply of method Logs.
package struct LogsReply: Equatable, Sendable {
    /// `nil` in a last reply without a line.
    package var line: LogLineReport?

    package init(
        line: LogLineReport? = nil
    ) {
        self.line = line
    }
}

extension LogsReply: JSONConvertible {
    private enum Key: String {
        case line
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            line: try json.optional(Key.line))
    }

    package var json: JSONValue {
        .object([
            Key.line: line
        ])
    }
}
