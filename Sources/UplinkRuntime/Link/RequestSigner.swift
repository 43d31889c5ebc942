import FleetAPI

/// Signs requests as RFC 9421 says and docs/fleet-protocol.md narrows down.
struct RequestSigner {
    let key: SigningKey
    /// The device id; `nil` before there is one.
    let device: String?

    private static let nonceBytes = 16

    /// The fields to add; `nil` when there is no memory.
    /// - Parameters:
    ///   - path: of the URL, with the query where there is one.
    ///   - created: in seconds since 1970.
    func fields(
        method: String, path: String, body: [UInt8]?, created: Int64, using random: inout some RandomNumberGenerator
    ) -> [String]? {
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let digest = body.map { SignatureBase.contentDigest(sha256: SHA256.digest($0)) }
        let base = SignatureBase(
            method: method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            contentDigest: digest)
        let nonce = (0..<Self.nonceBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let parameters = base.parameters(
            created: created, nonce: nonce, keyID: device ?? SignatureBase.keyID(publicKey: key.publicKey))
        guard let signature = key.signature(of: Array(base.text(parameters: parameters).utf8)) else { return nil }
        let signed = "\(SignatureBase.label)=:\(Base64.standard.encode(signature)):"
        return (digest.map { ["Content-Digest: \($0)"] } ?? []) + [
            "Signature-Input: \(SignatureBase.label)=\(parameters)", "Signature: \(signed)",
        ]
    }
}
