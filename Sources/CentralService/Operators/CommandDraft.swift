import CentralStore
import ControlProtocol

/// What an operator wants done, and by whom.
struct CommandDraft: JSONConvertible {
    private static let payloadBytes = 64 << 10

    /// A UUID of the operator's own, so that a request can be sent again.
    var id: String?
    var kind: String
    var payload: JSONObject
    var target: FleetTarget
    /// `nil` for never.
    var expiresIn: Double?

    private enum Key: String { case id, kind, payload, expiresIn = "expires_in_s" }

    init(json: JSONValue) throws(JSONError) {
        id = try json.optional(Key.id)
        if let id, !Central.isUUID(id) { throw JSONError(.wrongType, at: "id", "must be a UUID in lower case") }
        kind = try json.required(Key.kind)
        guard (1...64).contains(kind.utf8.count), kind.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw JSONError(.wrongType, at: "kind", "must be 1 to 64 letters, such as worker.restart")
        }
        payload = try json.optional(Key.payload) ?? [:]
        guard JSONValue.object(payload).serialised().count <= Self.payloadBytes else {
            throw JSONError(.tooLarge, at: "payload", "must be of \(Self.payloadBytes) bytes at most")
        }
        expiresIn = try json.optional(Key.expiresIn)
        if let expiresIn, !(expiresIn > 0 && expiresIn <= 31_536_000) {
            throw JSONError(.wrongType, at: "expires_in_s", "must be above 0, and a year at most")
        }
        target = try FleetTarget(json: json)
    }

    var json: JSONValue {
        var object: JSONObject = [
            Key.kind.rawValue: .string(kind), Key.payload.rawValue: .object(payload),
            Key.expiresIn.rawValue: expiresIn.json,
        ]
        if let id { object[Key.id.rawValue] = .string(id) }
        for member in target.json.objectValue?.members ?? [] { object[member.key] = member.value }
        return .object(object)
    }
}
