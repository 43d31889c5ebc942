import CJansson
import CentralStore
import ControlProtocol

/// One JSON object, read where jansson has put it: a batch has thousands, and a tree of our own for each would cost more
/// than all else.
struct JanssonDocument: ~Copyable {
    private static let depth = 16

    private let root: UnsafeMutablePointer<json_t>

    init(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        try JSONValue.checkDepth(of: bytes, limit: Self.depth)
        var details = json_error_t()
        guard let root = json_loadb(bytes.baseAddress, bytes.count, Int(JSON_REJECT_DUPLICATES), &details) else {
            // Read again by the way that explains itself.
            _ = try JSONValue.parse(bytes)
            throw JSONError(.wrongType, "must be an object")
        }
        guard root.pointee.type == JSON_OBJECT else {
            json_decref(root)
            throw JSONError(.wrongType, "must be an object")
        }
        self.root = root
    }

    deinit { json_decref(root) }

    /// A member, whatever it is. Costs a copy.
    subscript(key: String) -> JSONValue? {
        guard let member = json_object_get(root, key) else { return nil }
        guard let text = json_dumps(member, Int(JSON_COMPACT | JSON_ENCODE_ANY)) else { return nil }
        defer { free(text) }
        return try? JSONValue.parse(Array(String(cString: text).utf8))
    }

    func text(_ key: StaticString, limit: Int) -> String? {
        guard let member = member(key), member.pointee.type == JSON_STRING else { return nil }
        let count = json_string_length(member)
        guard count > 0, count <= limit else { return nil }
        return String(
            decoding: UnsafeRawBufferPointer(start: json_string_value(member), count: count), as: UTF8.self)
    }

    func int(_ key: StaticString) -> Int64? {
        guard let member = member(key) else { return nil }
        switch member.pointee.type {
        case JSON_INTEGER: return Int64(json_integer_value(member))
        case JSON_REAL: return Int64(exactly: json_real_value(member))
        default: return nil
        }
    }

    func isTrue(_ key: StaticString) -> Bool { member(key)?.pointee.type == JSON_TRUE }

    /// How many members an object within has; `nil` when it is none.
    func count(_ key: StaticString) -> Int? {
        guard let member = member(key), member.pointee.type == JSON_OBJECT else { return nil }
        return json_object_size(member)
    }

    /// The members of an object within.
    /// - Parameter body: gets `nil` for what is no value of a reading.
    func forEachValue(of key: StaticString, _ body: (String, ReadingValue?) -> Void) {
        guard let object = member(key) else { return }
        var iterator = json_object_iter(object)
        while let current = iterator {
            if let key = json_object_iter_key(current), let value = json_object_iter_value(current) {
                body(String(cString: key), Self.value(value))
            }
            iterator = json_object_iter_next(object, current)
        }
    }

    private func member(_ key: StaticString) -> UnsafeMutablePointer<json_t>? {
        key.withUTF8Buffer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { json_object_get(root, $0.baseAddress) }
        }
    }

    private static func value(_ json: UnsafeMutablePointer<json_t>) -> ReadingValue? {
        switch json.pointee.type {
        case JSON_INTEGER: return .int(Int64(json_integer_value(json)))
        case JSON_REAL: return .double(json_real_value(json))
        case JSON_TRUE: return .bool(true)
        case JSON_FALSE: return .bool(false)
        case JSON_STRING:
            let count = json_string_length(json)
            guard count <= BatchReader.textBytes else { return nil }
            return .text(
                String(decoding: UnsafeRawBufferPointer(start: json_string_value(json), count: count), as: UTF8.self))
        default: return nil
        }
    }
}
