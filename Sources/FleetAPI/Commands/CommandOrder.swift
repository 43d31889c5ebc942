package import ControlProtocol

/// A command as the device gets it.
package struct CommandOrder: Equatable, Sendable, JSONConvertible {
    package var id: String
    /// Counts up for each device.
    package var sequence: UInt64
    /// Such as `worker.restart`.
    package var kind: String
    package var payload: JSONObject
    /// In seconds, from when central sent it; `nil` for never.
    package var expiresIn: Double?

    package init(id: String, sequence: UInt64, kind: String, payload: JSONObject, expiresIn: Double?) {
        self.id = id
        self.sequence = sequence
        self.kind = kind
        self.payload = payload
        self.expiresIn = expiresIn
    }

    private enum Key: String { case id, sequence, kind, payload, expiresIn = "expires_in_s" }

    package init(json: JSONValue) throws(JSONError) {
        id = try json.required(Key.id)
        sequence = UInt64(clamping: try json.required(Key.sequence) as Int)
        kind = try json.required(Key.kind)
        payload = try json.optional(Key.payload) ?? [:]
        expiresIn = try json.optional(Key.expiresIn)
    }

    package var json: JSONValue {
        .object([
            Key.id: id, .sequence: Int(clamping: sequence), .kind: kind, .payload: payload, .expiresIn: expiresIn,
        ])
    }
}
