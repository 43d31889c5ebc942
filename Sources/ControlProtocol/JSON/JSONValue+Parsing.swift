import CJansson

extension JSONValue {
    /// Parses one JSON value that fills the bytes.
    ///
    /// Stricter than RFC 8259 where a lax reader would invite trouble: duplicate keys, NUL characters and numbers out of
    /// range are errors.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .request) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try parse(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Parses one JSON value that fills the buffer.
    package static func parse(_ buffer: UnsafeRawBufferPointer, limits: JSONLimits = .request) throws(JSONError)
        -> JSONValue
    {
        guard buffer.count <= limits.maximumBytes else {
            throw JSONError(.tooLarge, "\(buffer.count) bytes are more than the \(limits.maximumBytes) allowed")
        }
        try checkDepth(of: buffer, limit: limits.maximumDepth)
        var details = json_error_t()
        let flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY
        guard let root = json_loadb(buffer.baseAddress, buffer.count, Int(flags), &details) else {
            throw JSONError(details)
        }
        defer { json_decref(root) }
        return JSONValue(root)
    }

    /// jansson recurses once per level, and so do we; so the depth is bounded before either starts. Brackets within
    /// strings do not count.
    package static func checkDepth(of buffer: UnsafeRawBufferPointer, limit: Int) throws(JSONError) {
        var depth = 0
        var isInString = false
        var isEscaped = false
        for byte in buffer {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                guard depth <= limit else {
                    throw JSONError(.tooDeep, "lists and objects are nested deeper than the \(limit) levels allowed")
                }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case 0: throw JSONError(.nulCharacter, "there is a NUL byte in the text")
            default: break
            }
        }
    }

    private init(_ json: UnsafeMutablePointer<json_t>) {
        switch json.pointee.type {
        case JSON_OBJECT:
            var members: [JSONObject.Member] = []
            members.reserveCapacity(json_object_size(json))
            var iterator = json_object_iter(json)
            while let current = iterator {
                if let key = json_object_iter_key(current), let value = json_object_iter_value(current) {
                    members.append(JSONObject.Member(key: String(cString: key), value: JSONValue(value)))
                }
                iterator = json_object_iter_next(json, current)
            }
            self = .object(JSONObject(members))
        case JSON_ARRAY:
            self = .array((0..<json_array_size(json)).compactMap { json_array_get(json, $0).map { JSONValue($0) } })
        case JSON_STRING:
            let text = UnsafeRawBufferPointer(start: json_string_value(json), count: json_string_length(json))
            self = .string(String(decoding: text, as: UTF8.self))
        case JSON_INTEGER: self = .int(Int64(json_integer_value(json)))
        case JSON_REAL: self = .double(json_real_value(json))
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        default: self = .null
        }
    }
}

extension JSONError {
    /// Translates jansson's report. Its text is kept: it says what stood where.
    fileprivate init(_ details: json_error_t) {
        // jansson keeps its code in the last byte of the text (json_error_code in jansson.h).
        let text = withUnsafeBytes(of: details.text) { bytes in
            (message: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self), code: bytes.last ?? 0)
        }
        let code: Code =
            switch json_error_code(rawValue: UInt32(text.code)) {
            case json_error_invalid_utf8: .invalidUTF8
            case json_error_duplicate_key: .duplicateKey
            case json_error_null_character, json_error_null_byte_in_key: .nulCharacter
            case json_error_numeric_overflow: .numberOutOfRange
            case json_error_out_of_memory: .outOfMemory
            default: .syntax
            }
        self.init(code, "\(text.message) (line \(details.line), column \(details.column))")
    }
}
