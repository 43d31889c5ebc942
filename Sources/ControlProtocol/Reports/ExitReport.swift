/// How a process ended: type Exit of the interface.
package struct ExitReport: Equatable, Sendable {
    /// `exited`, `signaled` or `unknown`.
    package var status: String
    /// The exit status, when it exited.
    package var code: Int?
    /// Such as `SIGKILL`, when a signal ended it.
    package var signal: String?
    /// Why it counts as ended: `exit`, `signal`, `unknown`, `spawn-failed`, `start-timeout`, `watchdog`,
    /// `watchdog-trigger`, `checkpoint`, `unhealthy`, `out-of-memory` or `requested`.
    package var cause: String
    /// The same in words.
    package var message: String

    package init(
        status: String, code: Int? = nil, signal: String? = nil, cause: String, message: String
    ) {
        self.status = status
        self.code = code
        self.signal = signal
        self.cause = cause
        self.message = message
    }
}

extension ExitReport: JSONConvertible {
    private enum Key: String {
        case status
        case code
        case signal
        case cause
        case message
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            status: try json.required(Key.status),
            code: try json.optional(Key.code),
            signal: try json.optional(Key.signal),
            cause: try json.required(Key.cause),
            message: try json.required(Key.message))
    }

    package var json: JSONValue {
        .object([
            Key.status: status,
            .code: code,
            .signal: signal,
            .cause: cause,
            .message: message,
        ])
    }
}
