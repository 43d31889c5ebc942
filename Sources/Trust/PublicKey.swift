package import ControlProtocol
import CTrust

/// What metadata call a key. Opaque: it is not recomputed (TUF, TAP 12).
package typealias KeyID = String

/// A key that signatures are checked with, as root metadata name it.
package struct PublicKey: Equatable, Sendable {
    package enum Algorithm: Equatable, Sendable {
        /// The 32 bytes of an Ed25519 key (RFC 8032).
        case ed25519([UInt8])
        /// One that is not used here: metadata may name it, and it never verifies anything.
        case unsupported(keyType: String, scheme: String)
    }

    package let algorithm: Algorithm
    /// As it stands in the metadata.
    package let json: JSONValue

    private enum Key: String { case keyType = "keytype", scheme, keyValue = "keyval", publicKey = "public" }
    private static let ed25519 = "ed25519"

    /// - Parameter bytes: 32 of them.
    package init(ed25519 bytes: [UInt8]) {
        algorithm = .ed25519(bytes)
        json = .object([
            Key.keyType: Self.ed25519, .keyValue: JSONValue.object([Key.publicKey: Hexadecimal.encode(bytes)]),
            .scheme: Self.ed25519,
        ])
    }

    init(json: JSONValue) throws(TrustError) {
        self.json = json
        do throws(JSONError) {
            let keyType: String = try json.required(Key.keyType)
            let scheme: String = try json.required(Key.scheme)
            let value: JSONValue = try json.required(Key.keyValue)
            let text: String = try value.required(Key.publicKey)
            guard keyType == Self.ed25519, scheme == Self.ed25519 else {
                algorithm = .unsupported(keyType: keyType, scheme: scheme)
                return
            }
            guard let bytes = Hexadecimal.decode(text), bytes.count == 32 else {
                throw JSONError(.wrongType, at: "keyval.public", "must be 64 hexadecimal digits")
            }
            algorithm = .ed25519(bytes)
        } catch {
            throw TrustError(error)
        }
    }

    /// The name that python-tuf gives it: the SHA-256 of its canonical JSON.
    package func keyID() throws(TrustError) -> KeyID {
        try SHA256Digest(of: CanonicalJSON.encode(json)).hex
    }

    /// Two entries of the same key are one key, whatever they are called.
    func isSameKey(as other: PublicKey) -> Bool { algorithm == other.algorithm }

    func verifies(_ signature: [UInt8], of bytes: [UInt8]) throws(TrustError) -> Bool {
        guard case .ed25519(let key) = algorithm, signature.count == 64 else { return false }
        try CryptoLibrary.open()
        return key.withUnsafeBufferPointer { key in
            signature.withUnsafeBufferPointer { signature in
                bytes.withUnsafeBufferPointer { bytes in
                    guard let key = key.baseAddress, let signature = signature.baseAddress,
                        let start = bytes.baseAddress
                    else { return false }
                    return hf_ed25519_verify(key, signature, start, bytes.count) == 1
                }
            }
        }
    }
}

/// The file form: PEM of a SubjectPublicKeyInfo (RFC 8410).
extension PublicKey {
    /// What stands before the 32 bytes in DER.
    private static let prefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
    private static let header = "-----BEGIN PUBLIC KEY-----"
    private static let footer = "-----END PUBLIC KEY-----"

    package init(pem: String) throws(TrustError) {
        let lines = pem.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
        let header = Self.header.filter { !$0.isWhitespace }
        let footer = Self.footer.filter { !$0.isWhitespace }
        guard let first = lines.firstIndex(of: header), let last = lines[first...].firstIndex(of: footer),
            let bytes = PEMText.decode(lines[(first + 1)..<last].joined()), bytes.starts(with: Self.prefix),
            bytes.count == Self.prefix.count + 32
        else {
            throw TrustError(.invalidKey, "is no public Ed25519 key (PEM); holdfast bundle keygen makes one")
        }
        self.init(ed25519: Array(bytes[Self.prefix.count...]))
    }

    /// `nil` for a key that is not used here.
    package var pem: String? {
        guard case .ed25519(let key) = algorithm else { return nil }
        return "\(Self.header)\n\(PEMText.encode(Self.prefix + key))\n\(Self.footer)\n"
    }
}
