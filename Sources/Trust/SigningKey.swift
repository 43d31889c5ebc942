import CTrust

/// A private Ed25519 key, of an operator: devices have none of these.
package final class SigningKey {
    private let key: OpaquePointer
    package let publicKey: PublicKey

    /// PBKDF2 with SHA-256, as OWASP's advice of 2023 has it: half a second on a small computer.
    private static let rounds: Int32 = 600_000
    private static let largestText = 16 * 1024

    private init(owning key: OpaquePointer) throws(TrustError) {
        var bytes = [UInt8](repeating: 0, count: 32)
        let status = bytes.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { hf_ed25519_public(key, $0) } ?? -1
        }
        guard status == 0 else {
            hf_ed25519_free(key)
            throw CryptoLibrary.failed("read the public half of a key")
        }
        self.key = key
        publicKey = PublicKey(ed25519: bytes)
    }

    deinit { hf_ed25519_free(key) }

    package static func generate() throws(TrustError) -> SigningKey {
        try CryptoLibrary.open()
        guard let key = hf_ed25519_generate() else { throw CryptoLibrary.failed("make a key") }
        return try SigningKey(owning: key)
    }

    /// - Parameters:
    ///   - pem: PKCS #8, encrypted or not.
    ///   - passphrase: for an encrypted one.
    package static func parse(pem: [UInt8], passphrase: String?) throws(TrustError) -> SigningKey {
        try CryptoLibrary.open()
        guard pem.count <= largestText else { throw TrustError(.invalidKey, "is too long for a private key") }
        var isEncrypted: Int32 = 0
        let text = pem.map { CChar(bitPattern: $0) }
        let key = text.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { hf_ed25519_parse($0, buffer.count, passphrase, &isEncrypted) }
        }
        if let key { return try SigningKey(owning: key) }
        guard isEncrypted != 0 else {
            throw TrustError(.invalidKey, "is no private Ed25519 key (PKCS #8, PEM); holdfast bundle keygen makes one")
        }
        guard passphrase != nil else {
            throw TrustError(.passphraseNeeded, "is encrypted, and no passphrase was given")
        }
        throw TrustError(.wrongPassphrase, "does not open with this passphrase")
    }

    /// PKCS #8 in PEM, encrypted when there is a passphrase.
    package func pem(passphrase: String?) throws(TrustError) -> String {
        var text = [CChar](repeating: 0, count: Self.largestText)
        let count = text.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { hf_ed25519_text(key, passphrase, Self.rounds, $0, buffer.count) } ?? 0
        }
        guard count > 0 else { throw CryptoLibrary.failed("write a key") }
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// 64 bytes.
    package func signature(of bytes: [UInt8]) throws(TrustError) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: 64)
        let status = signature.withUnsafeMutableBufferPointer { signature in
            bytes.withUnsafeBufferPointer { bytes in
                guard let out = signature.baseAddress, let start = bytes.baseAddress else { return Int32(-1) }
                return hf_ed25519_sign(key, start, bytes.count, out)
            }
        }
        guard status == 0 else { throw CryptoLibrary.failed("sign") }
        return signature
    }
}
