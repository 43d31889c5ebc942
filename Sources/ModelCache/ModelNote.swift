package import ControlProtocol

/// What is kept of a model besides its content.
package struct ModelNote: Equatable, Sendable {
    package var priority = 0
    package var isPinned = false
    /// Counts uses of all models: the greater, the later this one was used.
    package var turn = 0

    package init() {}
}

extension ModelNote: JSONConvertible {
    private enum Key: String {
        case priority, turn
        case isPinned = "pinned"
    }

    package init(json: JSONValue) throws(JSONError) {
        priority = try json.required(Key.priority)
        isPinned = try json.required(Key.isPinned)
        turn = try json.required(Key.turn)
    }

    package var json: JSONValue { .object([Key.priority: priority, .isPinned: isPinned, .turn: turn]) }
}
