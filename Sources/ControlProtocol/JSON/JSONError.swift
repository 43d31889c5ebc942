/// Why bytes are not the JSON that was expected.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        /// More bytes than the limit.
        package static let tooLarge = Code(rawValue: "too-large")
        /// Lists and objects nested deeper than the limit.
        package static let tooDeep = Code(rawValue: "too-deep")
        package static let invalidUTF8 = Code(rawValue: "invalid-utf8")
        package static let duplicateKey = Code(rawValue: "duplicate-key")
        /// A NUL byte or `\u0000`: C programs at the other end would cut the text there.
        package static let nulCharacter = Code(rawValue: "nul-character")
        /// A number which a 64-bit integer or a double cannot hold.
        package static let numberOutOfRange = Code(rawValue: "number-out-of-range")
        package static let syntax = Code(rawValue: "syntax")
        package static let outOfMemory = Code(rawValue: "out-of-memory")
        /// Valid JSON in which a member is missing.
        package static let missing = Code(rawValue: "missing")
        /// Valid JSON in which a value has another type.
        package static let wrongType = Code(rawValue: "wrong-type")
    }

    package var code: Code
    /// Where in the value, such as `workers[3].pid`; empty for the whole.
    package var path: String
    package var message: String

    package init(_ code: Code, at path: String = "", _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    package var description: String {
        path.isEmpty ? message : "\(path): \(message)"
    }

    /// The same error, seen from the object that holds the value at `key`.
    func inside(_ key: String) -> JSONError {
        let separator = path.isEmpty || path.hasPrefix("[") ? "" : "."
        return JSONError(code, at: key + separator + path, message)
    }
}
