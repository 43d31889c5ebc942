import Crypto
import FleetAPI
import HTTPTypes
import HummingbirdCore
import NIOCore
import RawStructuredFieldValues

/// The signature of a device's request, read but not yet verified (docs/fleet-protocol.md, Signatures).
struct RequestSignature {
    let keyID: String
    /// In seconds since 1970.
    let created: Int64
    /// 16 bytes.
    let nonce: [UInt8]
    private let signature: [UInt8]
    /// What was signed.
    private let base: [UInt8]

    /// - Throws: `Problem` of the kind `signature`: the headers are not as they should be, or the digest is not of the
    ///   content.
    init(_ request: Request, content: ByteBuffer) throws {
        func refused(_ why: String) -> Problem {
            Problem(
                .signature, .unauthorized, "The signature is not good", why + " (docs/fleet-protocol.md, Signatures)")
        }
        guard let input = Self.member(.signatureInput, request), case .innerList(let list) = input,
            let value = Self.member(.signature, request), case .item(let item) = value,
            case .undecodedByteSequence(let encoded) = item.rfc9651BareItem
        else { throw refused("Signature-Input and Signature have to have one member 'hf'") }

        var digest: String?
        if content.readableBytes > 0 {
            guard let header = request.headers[.contentDigest] else { throw refused("there is no Content-Digest") }
            let hash = content.withUnsafeReadableBytes { bytes in
                var sha = SHA256()
                sha.update(bufferPointer: bytes)
                return Array(sha.finalize())
            }
            guard header == SignatureBase.contentDigest(sha256: hash) else {
                throw refused("Content-Digest is not the SHA-256 of the content as it came")
            }
            digest = header
        }

        let parts = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let base = SignatureBase(
            method: request.method.rawValue, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            contentDigest: digest)
        guard Self.components(list) == base.components else {
            throw refused("it has to cover \(base.components.joined(separator: ", ")), in this order")
        }
        guard case .string("ed25519") = list.rfc9651Parameters["alg"],
            case .string("holdfast") = list.rfc9651Parameters["tag"],
            case .string(let keyID) = list.rfc9651Parameters["keyid"],
            case .integer(let created) = list.rfc9651Parameters["created"],
            case .string(let nonceText) = list.rfc9651Parameters["nonce"]
        else { throw refused("it has to have created, nonce, keyid, alg and tag") }
        guard let nonce = Base64.url.decode(nonceText), nonce.count == 16 else {
            throw refused("the nonce has to be 16 bytes in base64url")
        }
        guard let signature = Base64.standard.decode(encoded), signature.count == 64 else {
            throw refused("Signature has to be 64 bytes in base64")
        }
        // The parameters as RFC 9421 writes them, whatever spaces the header had.
        var serialiser = StructuredFieldValueSerializer()
        guard let parameters = try? serialiser.writeListFieldValue([.innerList(list)]) else {
            throw refused("Signature-Input cannot be read")
        }
        self.keyID = keyID
        self.created = Int64(created)
        self.nonce = nonce
        self.signature = signature
        self.base = Array(base.text(parameters: String(decoding: parameters, as: UTF8.self)).utf8)
    }

    /// Who the request says it is from, before anything else is read.
    static func claimedKeyID(_ request: Request) -> String? {
        guard case .innerList(let list) = member(.signatureInput, request),
            case .string(let keyID) = list.rfc9651Parameters["keyid"]
        else { return nil }
        return keyID
    }

    /// - Parameter publicKey: 32 bytes.
    func isValid(for publicKey: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: base)
    }

    private static func member(_ name: HTTPField.Name, _ request: Request) -> ItemOrInnerList? {
        guard let text = request.headers[name] else { return nil }
        var parser = StructuredFieldValueParser(Array(text.utf8))
        guard let members = try? parser.parseDictionaryFieldValue(), members.count == 1 else { return nil }
        return members[SignatureBase.label]
    }

    /// `nil` when one is no plain name.
    private static func components(_ list: InnerList) -> [String]? {
        var names: [String] = []
        for item in list.bareInnerList {
            guard case .string(let name) = item.rfc9651BareItem, item.rfc9651Parameters.isEmpty else { return nil }
            names.append(name)
        }
        return names
    }
}

extension HTTPField.Name {
    /// Hummingbird has no name for these.
    fileprivate static func known(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .signatureFallback }
    private static let signatureFallback = HTTPField.Name.authorization

    static let signatureInput = known("Signature-Input")
    static let signature = known("Signature")
    static let contentDigest = known("Content-Digest")
}
