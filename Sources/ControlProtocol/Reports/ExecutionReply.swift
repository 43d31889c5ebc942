/// One reply to method Execute: how the command stands, a line of its log, or what became of it.
package struct ExecutionReply: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        /// It waits for another one.
        case queued
        case running
        case succeeded
        case failed
    }

    package var state: State
    package var plugin: String
    /// How far it has come, in percent and in words.
    package var percent: Int?
    /// While it runs: what the plugin says of its progress. When it has failed: why.
    package var message: String?
    /// A line that the plugin has logged; the reply says nothing else then.
    package var log: String?
    /// Of a failure: a stable word, such as `crashed` or `timed-out` (docs/executor.md).
    package var code: String?
    /// What the plugin has set, when it has succeeded.
    package var result: JSONValue?

    package init(
        state: State, plugin: String, percent: Int? = nil, message: String? = nil, log: String? = nil,
        code: String? = nil, result: JSONValue? = nil
    ) {
        self.state = state
        self.plugin = plugin
        self.percent = percent
        self.message = message
        self.log = log
        self.code = code
        self.result = result
    }

    /// Whether no other reply follows.
    package var isLast: Bool {
        switch state {
        case .queued, .running: false
        case .succeeded, .failed: true
        }
    }
}

extension ExecutionReply: JSONConvertible {
    private enum Key: String { case state, plugin, percent, message, log, code, result }

    package init(json: JSONValue) throws(JSONError) {
        let name: String = try json.required(Key.state)
        guard let state = State(rawValue: name) else {
            throw JSONError(.wrongType, at: Key.state.rawValue, "is not known: '\(name)'")
        }
        self.init(
            state: state, plugin: try json.required(Key.plugin), percent: try json.optional(Key.percent),
            message: try json.optional(Key.message), log: try json.optional(Key.log),
            code: try json.optional(Key.code), result: try json.optional(Key.result))
    }

    package var json: JSONValue {
        .object([
            Key.state: state.rawValue, .plugin: plugin, .percent: percent, .message: message, .log: log,
            .code: code, .result: result,
        ])
    }
}
