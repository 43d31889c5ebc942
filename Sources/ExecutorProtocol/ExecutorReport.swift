package import ControlProtocol

/// What `holdfast-executor` tells `holdfastd`, or asks of it. It has no plugin in it, and yet is believed no more than its user
/// may do.
package enum ExecutorReport: Equatable, Sendable {
    /// The file is the granted one: start a plugin host, and hand over its socket.
    case startHost
    case progress(percent: Int?, message: String)
    /// A line of the plugin's: what it has logged or printed.
    case log(level: Level, line: String)
    /// The result, JSON as text, in parts that fit a packet. Before `ended`.
    case result(part: String, isLast: Bool)
    /// What became of the order; the last report. - code: `nil` when it has succeeded.
    case ended(code: String?, message: String?)
    /// A deployment stands otherwise than before, or has ended. Ends are told when they are on disk.
    case deployment(DeploymentReport)
    /// Everything of a bundle, after each change that outlives a power cut, and of each bundle at the start.
    case bundle(BundleReport)
    /// All bundles are told of. From now on orders are taken.
    case ready
    /// Read the bundles' parts of the tree anew: another version is current. Answered by `ExecutorRequest.stepEnded`.
    case apply(step: Int)
    /// Run a bundle's own test, as its workers are run. Answered by `ExecutorRequest.stepEnded`.
    case selfTest(step: Int, bundle: String, command: [String], timeLimit: Duration)
    /// The answer is not wanted any more; a test that runs is to end.
    case abandonStep(step: Int)
    /// Nothing is under way, of all that was asked for or told so far: so many orders, calls to end one, and crash loops. Unless there
    /// are more by now, the process may go.
    case idle(heard: Int)
    /// From a newer executor.
    case unknown(type: String)

    package enum Level: String, CaseIterable, Sendable {
        case debug, info, warning, error
        /// It was printed.
        case output
    }
}

extension ExecutorReport: JSONConvertible {
    private enum Key: String {
        case type, percent, message, level, line, part, last, code, deployment, bundle, step, command, heard
        case timeLimit = "time_limit_ns"
    }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "start-host": self = .startHost
        case "progress":
            self = .progress(percent: try json.optional(Key.percent), message: try json.required(Key.message))
        case "log":
            let name: String = try json.required(Key.level)
            self = .log(level: Level(rawValue: name) ?? .info, line: try json.required(Key.line))
        case "result": self = .result(part: try json.required(Key.part), isLast: try json.required(Key.last))
        case "ended": self = .ended(code: try json.optional(Key.code), message: try json.optional(Key.message))
        case "deployment": self = .deployment(try json.required(Key.deployment))
        case "bundle": self = .bundle(try json.required(Key.bundle))
        case "ready": self = .ready
        case "apply": self = .apply(step: try json.required(Key.step))
        case "self-test":
            self = .selfTest(
                step: try json.required(Key.step), bundle: try json.required(Key.bundle),
                command: try json.required(Key.command),
                timeLimit: .nanoseconds(try json.required(Key.timeLimit) as Int))
        case "abandon-step": self = .abandonStep(step: try json.required(Key.step))
        case "idle": self = .idle(heard: try json.required(Key.heard))
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .startHost: .object([Key.type: "start-host"])
        case .progress(let percent, let message):
            .object([Key.type: "progress", .percent: percent, .message: message])
        case .log(let level, let line): .object([Key.type: "log", .level: level.rawValue, .line: line])
        case .result(let part, let isLast): .object([Key.type: "result", .part: part, .last: isLast])
        case .ended(let code, let message): .object([Key.type: "ended", .code: code, .message: message])
        case .deployment(let report): .object([Key.type: "deployment", .deployment: report])
        case .bundle(let report): .object([Key.type: "bundle", .bundle: report])
        case .ready: .object([Key.type: "ready"])
        case .apply(let step): .object([Key.type: "apply", .step: step])
        case .selfTest(let step, let bundle, let command, let limit):
            .object([
                Key.type: "self-test", .step: step, .bundle: bundle, .command: command,
                .timeLimit: Int(limit / .nanoseconds(1)),
            ])
        case .abandonStep(let step): .object([Key.type: "abandon-step", .step: step])
        case .idle(let heard): .object([Key.type: "idle", .heard: heard])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
