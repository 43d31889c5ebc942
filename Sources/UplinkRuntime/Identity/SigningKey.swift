import CTransfer

/// The device's key (Ed25519, RFC 8032). The libraries have to be loaded.
final class SigningKey {
    private let key: OpaquePointer

    /// A new one; `nil` when OpenSSL has no randomness.
    init?() {
        guard let key = hf_key_generate() else { return nil }
        self.key = key
    }

    /// - Parameter pem: PKCS #8 (RFC 8410).
    init?(pem: [UInt8]) {
        let key = pem.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { buffer in
                buffer.baseAddress.flatMap { hf_key_parse($0, buffer.count) }
            }
        }
        guard let key else { return nil }
        self.key = key
    }

    deinit { hf_key_free(key) }

    /// As a file has it.
    var pem: [UInt8] {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            guard let start = buffer.baseAddress else { return [] }
            let count = hf_key_text(key, start, buffer.count)
            return buffer[..<count].map { UInt8(bitPattern: $0) }
        }
    }

    /// 32 bytes.
    var publicKey: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        _ = hf_key_public(key, &bytes)
        return bytes
    }

    /// 64 bytes; `nil` when there is no memory.
    func signature(of bytes: [UInt8]) -> [UInt8]? {
        var signature = [UInt8](repeating: 0, count: 64)
        guard hf_key_sign(key, bytes, bytes.count, &signature) == 0 else { return nil }
        return signature
    }
}

/// SHA-256 (FIPS 180-4). The libraries have to be loaded.
enum SHA256 {
    static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = bytes.withUnsafeBytes { hf_sha256($0.baseAddress, $0.count, &digest) }
        return digest
    }
}
