package import ControlProtocol

/// What `holdfast-uplink` tells `holdfastd`, or asks of it: all that it may do, besides the methods on a control connection.
package enum UplinkReport: Equatable, Sendable {
    /// It has its settings and its spools.
    case ready
    /// Asks for a control connection, which comes as `UplinkRequest.control` with the same id.
    case openControl(id: Int)
    /// What the chronicle has to say of the link.
    case noted(Note, message: String)
    /// - `part`: of the answer's text. Parts come in order and at once.
    case answer(id: Int, part: String, isLast: Bool)
    /// Something an operator should know, such as "there is no libcurl here".
    case warning(String)
    /// From a newer uplink.
    case unknown(type: String)

    package enum Note: String, CaseIterable, Sendable {
        case enrolled = "uplink-enrolled"
        case enrolmentRefused = "uplink-refused"
        case connected = "uplink-connected"
        case disconnected = "uplink-disconnected"
        /// Something was not taken in, or dropped.
        case loss = "telemetry-lost"
    }
}

extension UplinkReport: JSONConvertible {
    private enum Key: String { case type, id, note, message, part, last }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "ready": self = .ready
        case "open-control": self = .openControl(id: try json.required(Key.id))
        case "noted":
            let name: String = try json.required(Key.note)
            guard let note = Note(rawValue: name) else { fallthrough }
            self = .noted(note, message: try json.required(Key.message))
        case "answer":
            guard let id: Int = try json.optional(Key.id) else { fallthrough }
            self = .answer(id: id, part: try json.required(Key.part), isLast: try json.required(Key.last))
        case "warning":
            guard let message: String = try json.optional(Key.message) else { fallthrough }
            self = .warning(message)
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .ready: .object([Key.type: "ready"])
        case .openControl(let id): .object([Key.type: "open-control", .id: id])
        case .noted(let note, let message): .object([Key.type: "noted", .note: note.rawValue, .message: message])
        case .answer(let id, let part, let isLast):
            .object([Key.type: "answer", .id: id, .part: part, .last: isLast])
        case .warning(let message): .object([Key.type: "warning", .message: message])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
