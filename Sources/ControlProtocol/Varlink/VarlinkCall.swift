/// A client's message (varlink.org, "Method Call").
package struct VarlinkCall: Equatable, Sendable {
    /// Interface and method, such as `io.holdfast.Runtime.Status`.
    package var method: String
    package var parameters: JSONObject
    /// The client takes any number of replies.
    package var more: Bool
    /// The client wants no reply, not even an error.
    package var oneway: Bool
    /// The client wants to speak another protocol after the reply; Holdfast offers none.
    package var upgrade: Bool

    package init(
        method: String, parameters: JSONObject = JSONObject(), more: Bool = false, oneway: Bool = false,
        upgrade: Bool = false
    ) {
        self.method = method
        self.parameters = parameters
        self.more = more
        self.oneway = oneway
        self.upgrade = upgrade
    }
}

extension VarlinkCall: JSONConvertible {
    private enum Key: String { case method, parameters, more, oneway, upgrade }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            method: try json.required(Key.method),
            parameters: try json.optional(Key.parameters) ?? JSONObject(),
            more: try json.optional(Key.more) ?? false,
            oneway: try json.optional(Key.oneway) ?? false,
            upgrade: try json.optional(Key.upgrade) ?? false)
    }

    /// Flags that are false, and empty parameters, are left out.
    package var json: JSONValue {
        var object = JSONObject([.init(key: Key.method.rawValue, value: .string(method))])
        if !parameters.isEmpty { object[Key.parameters.rawValue] = .object(parameters) }
        if more { object[Key.more.rawValue] = true }
        if oneway { object[Key.oneway.rawValue] = true }
        if upgrade { object[Key.upgrade.rawValue] = true }
        return .object(object)
    }
}
