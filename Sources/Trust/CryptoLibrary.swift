import CTrust

/// OpenSSL's libcrypto, opened when it is first needed.
enum CryptoLibrary {
    /// What is missing, for a person; `nil` when it is there.
    private static let problem: String? = {
        var text = [CChar](repeating: 0, count: 512)
        let status = text.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { hf_trust_load($0, buffer.count) } ?? -1
        }
        guard status != 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    static func open() throws(TrustError) {
        guard let problem else { return }
        throw TrustError(.libraryUnavailable, problem)
    }

    static func failed(_ what: String) -> TrustError {
        TrustError(.libraryUnavailable, "OpenSSL could not \(what)")
    }
}
