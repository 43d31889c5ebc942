package import ControlProtocol

/// What `holdfast-executor` tells `holdfastd`, or asks of it. It has no plugin in it, and yet is believed no more than its user
/// may do.
package enum ExecutorReport: Equatable, Sendable {
    /// The file is the granted one: start a plugin host, and hand over its socket.
    case startHost
    /// End the plugin host, with all that it has started.
    case endHost
    case progress(percent: Int?, message: String)
    /// A line of the plugin's: what it has logged or printed.
    case log(level: Level, line: String)
    /// The result, JSON as text, in parts that fit a packet. Before `ended`.
    case result(part: String, isLast: Bool)
    /// What became of the order; the last report. - code: `nil` when it has succeeded.
    case ended(code: String?, message: String?)
    /// From a newer executor.
    case unknown(type: String)

    package enum Level: String, CaseIterable, Sendable {
        case debug, info, warning, error
        /// It was printed.
        case output
    }
}

extension ExecutorReport: JSONConvertible {
    private enum Key: String { case type, percent, message, level, line, part, last, code }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "start-host": self = .startHost
        case "end-host": self = .endHost
        case "progress":
            self = .progress(percent: try json.optional(Key.percent), message: try json.required(Key.message))
        case "log":
            let name: String = try json.required(Key.level)
            self = .log(level: Level(rawValue: name) ?? .info, line: try json.required(Key.line))
        case "result": self = .result(part: try json.required(Key.part), isLast: try json.required(Key.last))
        case "ended": self = .ended(code: try json.optional(Key.code), message: try json.optional(Key.message))
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .startHost: .object([Key.type: "start-host"])
        case .endHost: .object([Key.type: "end-host"])
        case .progress(let percent, let message):
            .object([Key.type: "progress", .percent: percent, .message: message])
        case .log(let level, let line): .object([Key.type: "log", .level: level.rawValue, .line: line])
        case .result(let part, let isLast): .object([Key.type: "result", .part: part, .last: isLast])
        case .ended(let code, let message): .object([Key.type: "ended", .code: code, .message: message])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
