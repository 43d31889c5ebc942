package import ControlProtocol

/// Why something is not trusted, or cannot be signed.
package struct TrustError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know. Codes of `JSONError` stand for metadata that is no such JSON.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package init(_ rawValue: String) { self.rawValue = rawValue }

        /// A fraction or an exponent: canonical JSON has none.
        package static let fraction = Code("fraction")
        /// Metadata of another role than the one that is asked for.
        package static let wrongType = Code("wrong-metadata-type")
        /// Written by another major version of the specification.
        package static let unsupportedVersion = Code("unsupported-spec-version")
        /// A value that the specification does not allow there.
        package static let invalidValue = Code("invalid-value")
        package static let expired = Code("expired")

        package static let noSignature = Code("no-signature")
        package static let emptySignature = Code("empty-signature")
        /// Too short, too long, or no hexadecimal digits.
        package static let malformedSignature = Code("malformed-signature")
        /// By a key that the root does not name.
        package static let unknownKey = Code("unknown-key")
        /// By a key that the root names for something else.
        package static let foreignKey = Code("key-of-another-role")
        /// A key that has signed already, by whatever name.
        package static let repeatedKey = Code("repeated-key")
        /// A key type or a scheme that is not used here, or one with the other's.
        package static let unsupportedAlgorithm = Code("unsupported-algorithm")
        package static let wrongSignature = Code("wrong-signature")
        /// Every signature is good, and there are too few.
        package static let thresholdNotMet = Code("threshold-not-met")

        /// No SHA-256 beside a target.
        package static let weakHash = Code("weak-hash")
        /// The signed metadata name no such file.
        package static let unknownTarget = Code("unknown-target")
        package static let wrongLength = Code("wrong-length")
        package static let wrongHash = Code("wrong-hash")

        /// What should be a key is none.
        package static let invalidKey = Code("invalid-key")
        package static let passphraseNeeded = Code("passphrase-needed")
        package static let wrongPassphrase = Code("wrong-passphrase")
        /// OpenSSL is missing, or fails.
        package static let libraryUnavailable = Code("library-unavailable")
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: JSONError) {
        self.init(Code(error.code.rawValue), error.description)
    }

    package var description: String { message }
}
