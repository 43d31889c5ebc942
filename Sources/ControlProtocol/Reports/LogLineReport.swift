/// One line of output: type LogLine of the interface.
package struct LogLineReport: Equatable, Sendable {
    /// When it was read, in seconds since 1970.
    package var time: Double
    package var worker: String
    /// Without its line break. Written by the worker: escape it before it goes to a terminal.
    package var line: String
    /// Lines of this worker that were lost since the line before (rate limit, full disk).
    package var lost: Int

    package init(
        time: Double, worker: String, line: String, lost: Int
    ) {
        self.time = time
        self.worker = worker
        self.line = line
        self.lost = lost
    }
}

extension LogLineReport: JSONConvertible {
    private enum Key: String {
        case time
        case worker
        case line
        case lost
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            time: try json.required(Key.time),
            worker: try json.required(Key.worker),
            line: try json.required(Key.line),
            lost: try json.required(Key.lost))
    }

    package var json: JSONValue {
        .object([
            Key.time: time,
            .worker: worker,
            .line: line,
            .lost: lost,
        ])
    }
}
