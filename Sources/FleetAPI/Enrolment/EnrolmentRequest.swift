package import ControlProtocol

/// `POST /enrol`.
package struct EnrolmentRequest: Equatable, Sendable, JSONConvertible {
    /// Of the token: 32 bytes in base64url.
    package var secret: String
    /// 32 bytes in base64url.
    package var publicKey: String
    /// What the device calls itself.
    package var name: String
    package var facts: JSONObject

    package init(secret: String, publicKey: String, name: String, facts: JSONObject) {
        self.secret = secret
        self.publicKey = publicKey
        self.name = name
        self.facts = facts
    }

    private enum Key: String { case secret, publicKey = "public_key", name, facts }

    package init(json: JSONValue) throws(JSONError) {
        secret = try json.required(Key.secret)
        publicKey = try json.required(Key.publicKey)
        name = try json.required(Key.name)
        facts = try json.optional(Key.facts) ?? [:]
    }

    package var json: JSONValue {
        .object([Key.secret: secret, .publicKey: publicKey, .name: name, .facts: facts])
    }
}

/// The answer: 200, or 202 while an operator has to approve.
package struct EnrolmentReply: Equatable, Sendable, JSONConvertible {
    package enum State: String, Sendable { case enrolled, pending }

    /// 16 hexadecimal digits.
    package var device: String
    package var state: State
    /// Central's clock, in milliseconds since 1970.
    package var time: Int64

    package init(device: String, state: State, time: Int64) {
        self.device = device
        self.state = state
        self.time = time
    }

    private enum Key: String { case device, state, time = "time_ms" }

    package init(json: JSONValue) throws(JSONError) {
        device = try json.required(Key.device)
        let name: String = try json.required(Key.state)
        state = State(rawValue: name) ?? .pending
        time = Int64(try json.required(Key.time) as Int)
    }

    package var json: JSONValue { .object([Key.device: device, .state: state.rawValue, .time: Int(time)]) }
}
