/// Reads the parameters of a call one by one, and refuses those that nobody asked for: a mistyped name must not be
/// silently ignored.
struct CallArguments {
    private let parameters: JSONObject
    private var known: Set<String> = []

    init(_ call: VarlinkCall) {
        parameters = call.parameters
    }

    mutating func required<Value: JSONConvertible>(_ key: some RawRepresentable<String>) throws(VarlinkServiceError)
        -> Value
    {
        known.insert(key.rawValue)
        do {
            return try JSONValue.object(parameters).required(key)
        } catch {
            throw .invalidParameter(key.rawValue)
        }
    }

    mutating func optional<Value: JSONConvertible>(_ key: some RawRepresentable<String>) throws(VarlinkServiceError)
        -> Value?
    {
        known.insert(key.rawValue)
        do {
            return try JSONValue.object(parameters).optional(key)
        } catch {
            throw .invalidParameter(key.rawValue)
        }
    }

    /// A count: a whole number that is not negative.
    mutating func count(_ key: some RawRepresentable<String>) throws(VarlinkServiceError) -> Int? {
        let value: Int? = try optional(key)
        guard value ?? 0 >= 0 else { throw .invalidParameter(key.rawValue) }
        return value
    }

    func refuseOthers() throws(VarlinkServiceError) {
        if let unknown = parameters.members.first(where: { !known.contains($0.key) }) {
            throw .invalidParameter(unknown.key)
        }
    }
}
