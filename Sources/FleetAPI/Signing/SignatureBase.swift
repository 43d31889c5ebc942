/// What a device signs of a request (RFC 9421, as docs/fleet-protocol.md narrows it down).
package struct SignatureBase: Equatable, Sendable {
    /// Of the one signature in `Signature-Input` and `Signature`.
    package static let label = "hf"
    package static let algorithm = "ed25519"
    package static let tag = "holdfast"

    package var method: String
    /// As it stands in the request line, without the query.
    package var path: String
    /// Without the question mark; empty where there is none.
    package var query: String
    /// The value of `Content-Digest`; `nil` without content.
    package var contentDigest: String?

    package init(method: String, path: String, query: String, contentDigest: String?) {
        self.method = method
        self.path = path
        self.query = query
        self.contentDigest = contentDigest
    }

    /// What has to be covered, in this order.
    package var components: [String] {
        ["@method", "@path", "@query"] + (contentDigest == nil ? [] : ["content-digest"])
    }

    /// The bytes to sign (RFC 9421, section 2.5).
    /// - Parameter parameters: the inner list with its parameters, as in `Signature-Input` behind `hf=`.
    package func text(parameters: String) -> String {
        var lines = ["\"@method\": \(method)", "\"@path\": \(path)", "\"@query\": ?\(query)"]
        if let contentDigest { lines.append("\"content-digest\": \(contentDigest)") }
        lines.append("\"@signature-params\": \(parameters)")
        return lines.joined(separator: "\n")
    }

    /// The inner list with its parameters.
    /// - Parameters:
    ///   - created: in seconds since 1970.
    ///   - nonce: never used with this key before.
    ///   - keyID: the device id, or `EnrolmentKeyID`.
    package func parameters(created: Int64, nonce: [UInt8], keyID: String) -> String {
        let covered = components.map { "\"\($0)\"" }.joined(separator: " ")
        return "(\(covered));created=\(created);nonce=\"\(Base64.url.encode(nonce))\";keyid=\"\(keyID)\""
            + ";alg=\"\(Self.algorithm)\";tag=\"\(Self.tag)\""
    }

    /// The value of `Content-Digest` (RFC 9530).
    package static func contentDigest(sha256: [UInt8]) -> String { "sha-256=:\(Base64.standard.encode(sha256)):" }

    /// The key id of a device that has no id yet.
    package static func keyID(publicKey: [UInt8]) -> String { "key:" + Base64.url.encode(publicKey) }
}
