package import ControlProtocol

/// A metadata file: what is signed, and by whom. Nothing of `signed` counts before a `KeyRing` has verified it.
package struct SignedEnvelope: Equatable, Sendable {
    package struct Signature: Equatable, Sendable {
        package var keyID: KeyID
        /// As it stands there: hexadecimal digits, if it is one.
        package var text: String
    }

    package private(set) var signatures: [Signature]
    package let signed: JSONValue
    /// What the signatures are over.
    let signedBytes: [UInt8]

    /// How many signatures a file may have.
    private static let mostSignatures = 64
    private static let deepest = 16

    private enum Key: String { case signatures, signed, keyID = "keyid", signature = "sig" }

    /// - Parameter limit: of the file, in bytes.
    package init(parsing bytes: [UInt8], limit: Int) throws(TrustError) {
        do throws(JSONError) {
            let json = try JSONValue.parse(
                bytes, limits: JSONLimits(maximumBytes: limit, maximumDepth: Self.deepest))
            let list: [JSONValue] = try json.required(Key.signatures)
            guard list.count <= Self.mostSignatures else {
                throw JSONError(.tooLarge, at: "signatures", "has more than \(Self.mostSignatures) entries")
            }
            signatures = try list.map { entry throws(JSONError) in
                Signature(keyID: try entry.required(Key.keyID), text: try entry.required(Key.signature))
            }
            let object: JSONObject = try json.required(Key.signed)
            signed = .object(object)
        } catch {
            throw TrustError(error)
        }
        guard Set(signatures.map(\.keyID)).count == signatures.count else {
            throw TrustError(.repeatedKey, "one key has signed twice")
        }
        signedBytes = try CanonicalJSON.encode(signed)
    }

    /// Without signatures yet.
    package init(signing signed: JSONValue) throws(TrustError) {
        signatures = []
        self.signed = signed
        signedBytes = try CanonicalJSON.encode(signed)
    }

    /// Adds a signature, or replaces that of the same key.
    /// - Parameter keyID: what the root calls the key.
    package mutating func sign(by key: SigningKey, as keyID: KeyID) throws(TrustError) {
        let text = Hexadecimal.encode(try key.signature(of: signedBytes))
        signatures.removeAll { $0.keyID == keyID }
        signatures.append(Signature(keyID: keyID, text: text))
    }

    /// The file.
    package var bytes: [UInt8] {
        let list: [JSONValue] = signatures.map { .object([Key.keyID: $0.keyID, .signature: $0.text]) }
        let json: JSONValue = .object([Key.signatures: list, .signed: signed])
        return json.serialised() + [UInt8(ascii: "\n")]
    }
}
