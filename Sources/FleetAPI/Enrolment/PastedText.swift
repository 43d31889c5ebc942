import ControlProtocol

/// JSON as one word that a person can copy: a prefix that says what it is, and base64url.
enum PastedText {
    static func write(_ prefix: String, _ json: JSONValue) -> String { prefix + Base64.url.encode(json.serialised()) }

    /// - Parameters:
    ///   - what: in a person's words, such as "enrolment token".
    ///   - source: the command that prints such a text.
    /// - Throws: what is wrong with the text, in words for the person who pasted it.
    static func read<Value>(
        _ prefix: String, _ text: String, what: String, source: String,
        _ decode: (JSONValue) throws(JSONError) -> Value?
    ) throws(FleetError) -> Value {
        guard text.hasPrefix(prefix) else {
            throw FleetError(.invalidToken, "this is no \(what): one begins with \(prefix) (\(source))")
        }
        guard let bytes = Base64.url.decode(text.dropFirst(prefix.count)), let json = try? JSONValue.parse(bytes),
            let value = try? decode(json)
        else {
            throw FleetError(
                .invalidToken,
                "the \(what) is damaged: a part is missing or was changed; copy it whole, without spaces")
        }
        return value
    }

    /// SHA-256 of keys, one or two of them.
    static func pins(_ texts: [String]) -> [[UInt8]]? {
        let pins = texts.compactMap { Base64.url.decode($0) }.filter { $0.count == 32 }
        return pins.count == texts.count && (1...2).contains(pins.count) ? pins : nil
    }
}
