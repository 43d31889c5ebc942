/// The arguments of method Execute.
package struct ExecutionCall: Equatable, Sendable {
    /// Tells commands apart: the same id again is the same command, which is not carried out twice.
    package var id: String
    package var kind: String
    /// What the plugin gets; `nil` for none.
    package var payload: JSONObject?
    /// A shorter limit than the plugin's own.
    package var timeLimit: Duration?

    package static let longestID = 128
    package static let longestKind = 64

    package init(id: String, kind: String, payload: JSONObject? = nil, timeLimit: Duration? = nil) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.timeLimit = timeLimit
    }

    private enum Key: String { case id, kind, payload, timeLimit = "time_limit_s" }

    init(_ arguments: inout CallArguments) throws(VarlinkServiceError) {
        id = try arguments.required(Key.id)
        kind = try arguments.required(Key.kind)
        payload = try arguments.optional(Key.payload)
        let seconds: Double? = try arguments.optional(Key.timeLimit)
        timeLimit = seconds.map { .seconds($0) }
        guard (1...Self.longestID).contains(id.utf8.count), id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .invalidParameter(Key.id.rawValue)
        }
        guard (1...Self.longestKind).contains(kind.utf8.count) else { throw .invalidParameter(Key.kind.rawValue) }
        // The longest that a plugin's own can be is a day.
        guard seconds.map({ $0 > 0 && $0 <= 86_400 }) ?? true else { throw .invalidParameter(Key.timeLimit.rawValue) }
    }

    var parameters: JSONObject {
        var parameters: JSONObject = [Key.id.rawValue: .string(id), Key.kind.rawValue: .string(kind)]
        parameters[Key.payload.rawValue] = payload.map { .object($0) }
        parameters[Key.timeLimit.rawValue] = timeLimit.map { .double($0 / .seconds(1)) }
        return parameters
    }
}
