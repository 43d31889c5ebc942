import CTrust

/// The SHA-256 of something (FIPS 180-4).
package struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    package static let size = 32

    package let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter hex: 64 digits in lower case; anything else is none.
    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == 2 * Self.size, let bytes = Hexadecimal.decode(hex),
            !hex.utf8.contains(where: { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "F") })
        else { return nil }
        self.bytes = bytes
    }

    package init(of bytes: [UInt8]) throws(TrustError) {
        let hasher = try SHA256Hasher()
        try bytes.withUnsafeBufferPointer { (buffer) throws(TrustError) in
            try hasher.add(UnsafeRawBufferPointer(buffer))
        }
        self = try hasher.finish()
    }

    fileprivate init(finishing digest: OpaquePointer) throws(TrustError) {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        let status = bytes.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { hf_digest_end(digest, $0) } ?? -1
        }
        guard status == 0 else { throw CryptoLibrary.failed("finish a hash") }
        self.init(bytes: bytes)
    }

    /// 64 digits in lower case.
    package var hex: String { Hexadecimal.encode(bytes) }
    package var description: String { hex }
}

/// Makes the SHA-256 of what comes in pieces.
package final class SHA256Hasher {
    private let digest: OpaquePointer

    package init() throws(TrustError) {
        try CryptoLibrary.open()
        guard let digest = hf_digest_begin() else { throw CryptoLibrary.failed("begin a hash") }
        self.digest = digest
    }

    deinit { hf_digest_free(digest) }

    package func add(_ bytes: UnsafeRawBufferPointer) throws(TrustError) {
        guard hf_digest_add(digest, bytes.baseAddress, bytes.count) == 0 else {
            throw CryptoLibrary.failed("hash some bytes")
        }
    }

    /// Of everything since the beginning or the last call.
    package func finish() throws(TrustError) -> SHA256Digest {
        try SHA256Digest(finishing: digest)
    }
}
