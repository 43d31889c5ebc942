import ControlProtocol
import MonotonicTime

/// Reads the members of one JSON object and says what is wrong with it.
struct StateReader {
    let json: JSONValue

    func text(_ key: String) throws(JSONError) -> String {
        guard let value = json[key]?.stringValue else { throw JSONError(.wrongType, at: key, "must be text") }
        return value
    }

    func integer(_ key: String) throws(JSONError) -> Int {
        guard let value = json[key]?.intValue else { throw JSONError(.wrongType, at: key, "must be a whole number") }
        return value
    }

    func optionalInteger(_ key: String) throws(JSONError) -> Int? {
        json[key] == nil ? nil : try integer(key)
    }

    /// Absent is false.
    func flag(_ key: String) throws(JSONError) -> Bool {
        guard let value = json[key] else { return false }
        guard let flag = value.boolValue else { throw JSONError(.wrongType, at: key, "must be true or false") }
        return flag
    }

    func list(_ key: String) throws(JSONError) -> [JSONValue] {
        guard let value = json[key] else { return [] }
        guard let list = value.arrayValue else { throw JSONError(.wrongType, at: key, "must be a list") }
        return list
    }

    func texts(_ key: String) throws(JSONError) -> [String] {
        let list = try list(key)
        let texts = list.compactMap(\.stringValue)
        guard texts.count == list.count else { throw JSONError(.wrongType, at: key, "must be a list of texts") }
        return texts
    }

    func instant(_ key: String) throws(JSONError) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Int64(try integer(key)))
    }

    func optionalInstant(_ key: String) throws(JSONError) -> MonotonicInstant? {
        try optionalInteger(key).map { MonotonicInstant(nanoseconds: Int64($0)) }
    }

    func optionalDuration(_ key: String) throws(JSONError) -> Duration? {
        try optionalInteger(key).map { .nanoseconds(Int64($0)) }
    }

    /// A text that one of the functions of `StateText` understands.
    func word<Value>(_ key: String, _ parse: (String) -> Value?) throws(JSONError) -> Value {
        guard let value = parse(try text(key)) else { throw JSONError(.wrongType, at: key, "is a word nobody knows") }
        return value
    }

    func optionalWord<Value>(_ key: String, _ parse: (String) -> Value?) throws(JSONError) -> Value? {
        json[key] == nil ? nil : try word(key, parse)
    }
}
