/// A Swift value with one JSON form.
package protocol JSONConvertible {
    /// Throws when the JSON has another shape; the error names the place.
    init(json: JSONValue) throws(JSONError)
    var json: JSONValue { get }
}

extension JSONValue: JSONConvertible {
    package init(json: JSONValue) { self = json }
    package var json: JSONValue { self }
}

extension JSONObject: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        guard case .object(let value) = json else { throw .wrongType("an object", json) }
        self = value
    }
    package var json: JSONValue { .object(self) }
}

extension Bool: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        guard let value = json.boolValue else { throw .wrongType("true or false", json) }
        self = value
    }
    package var json: JSONValue { .bool(self) }
}

extension Int: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        guard let value = json.intValue else { throw .wrongType("a whole number", json) }
        self = value
    }
    package var json: JSONValue { .int(Int64(self)) }
}

extension Double: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        guard let value = json.doubleValue else { throw .wrongType("a number", json) }
        self = value
    }
    package var json: JSONValue { .double(self) }
}

extension String: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        guard let value = json.stringValue else { throw .wrongType("text", json) }
        self = value
    }
    package var json: JSONValue { .string(self) }
}

extension Array: JSONConvertible where Element: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        guard let elements = json.arrayValue else { throw .wrongType("a list", json) }
        self = []
        reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do {
                append(try Element(json: element))
            } catch {
                throw error.inside("[\(index)]")
            }
        }
    }
    package var json: JSONValue { .array(map(\.json)) }
}

/// `nil` is written as null, so that every key of a type is always there.
extension Optional: JSONConvertible where Wrapped: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        self = json.isNull ? nil : try Wrapped(json: json)
    }
    package var json: JSONValue { self?.json ?? .null }
}

extension JSONValue {
    /// The member `key`, which must be there.
    package func required<Value: JSONConvertible>(_ key: some RawRepresentable<String>) throws(JSONError) -> Value {
        guard case .object(let object) = self else { throw .wrongType("an object", self) }
        guard let member = object[key.rawValue] else {
            throw JSONError(.missing, at: key.rawValue, "is missing")
        }
        do {
            return try Value(json: member)
        } catch {
            throw error.inside(key.rawValue)
        }
    }

    /// The member `key`; `nil` when it is absent or null.
    package func optional<Value: JSONConvertible>(_ key: some RawRepresentable<String>) throws(JSONError) -> Value? {
        guard case .object(let object) = self else { throw .wrongType("an object", self) }
        guard let member = object[key.rawValue], !member.isNull else { return nil }
        do {
            return try Value(json: member)
        } catch {
            throw error.inside(key.rawValue)
        }
    }

    /// An object with the given members, in order.
    package static func object<Key: RawRepresentable<String>>(_ members: KeyValuePairs<Key, any JSONConvertible>)
        -> JSONValue
    {
        .object(JSONObject(members.map { JSONObject.Member(key: $0.key.rawValue, value: $0.value.json) }))
    }
}

extension JSONError {
    fileprivate static func wrongType(_ expected: String, _ found: JSONValue) -> JSONError {
        JSONError(.wrongType, "must be \(expected), but is \(found.kindInWords)")
    }
}
