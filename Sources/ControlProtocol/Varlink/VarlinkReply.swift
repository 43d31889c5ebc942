/// A server's message (varlink.org, "Method Reply" and "Error").
package struct VarlinkReply: Equatable, Sendable {
    package var parameters: JSONObject
    /// Further replies to the same call follow.
    package var continues: Bool
    /// The error's full name, such as `io.holdfast.Runtime.NoSuchWorker`; its details are the parameters.
    package var error: String?

    package init(parameters: JSONObject = JSONObject(), continues: Bool = false, error: String? = nil) {
        self.parameters = parameters
        self.continues = continues
        self.error = error
    }

    /// A reply whose parameters are the members of `value`, which must be an object.
    package init(_ value: some JSONConvertible, continues: Bool = false) {
        self.init(parameters: value.json.objectValue ?? JSONObject(), continues: continues)
    }
}

extension VarlinkReply: JSONConvertible {
    private enum Key: String { case parameters, continues, error }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            parameters: try json.optional(Key.parameters) ?? JSONObject(),
            continues: try json.optional(Key.continues) ?? false,
            error: try json.optional(Key.error))
    }

    /// The parameters are always there, as the reference implementations send them.
    package var json: JSONValue {
        var object = JSONObject()
        if let error { object[Key.error.rawValue] = .string(error) }
        object[Key.parameters.rawValue] = .object(parameters)
        if continues { object[Key.continues.rawValue] = true }
        return .object(object)
    }
}
