import ControlProtocol
import Testing

@testable import Trust

/// A root with a key for itself and three for targets, of which two have to sign.
struct TrustFixture {
    let rootKey: SigningKey
    let targetKeys: [SigningKey]
    var root: RootMetadata
    var targets: TargetsMetadata

    static let later = ExpiryTime(seconds: 2_000_000_000)

    init() throws {
        rootKey = try SigningKey.generate()
        targetKeys = try (0..<3).map { _ in try SigningKey.generate() }
        var keys: [KeyID: PublicKey] = [:]
        for key in [rootKey] + targetKeys { keys[try key.publicKey.keyID()] = key.publicKey }
        let rootRole = RootMetadata.Role(keyIDs: [try rootKey.publicKey.keyID()], threshold: 1)
        root = RootMetadata(
            header: MetadataHeader(type: "root", version: 1, expires: Self.later), keys: keys,
            roles: [
                .root: rootRole, .timestamp: rootRole, .snapshot: rootRole,
                .targets: RootMetadata.Role(keyIDs: try targetKeys.map { try $0.publicKey.keyID() }, threshold: 2),
            ])
        targets = TargetsMetadata(version: 1, expires: Self.later)
        targets.set(
            "vision.tar.zst", TargetFile(length: 5, sha256: try SHA256Digest(of: Array("hello".utf8)), custom: ["a": 1])
        )
    }

    func signedRoot() throws -> [UInt8] {
        var envelope = try SignedEnvelope(signing: root.json)
        try envelope.sign(by: rootKey, as: rootKey.publicKey.keyID())
        return envelope.bytes
    }

    /// - Parameter change: of the targets as JSON, before they are signed.
    func signedTargets(
        by keys: [SigningKey]? = nil, change: (inout JSONObject) -> Void = { _ in }
    ) throws -> SignedEnvelope {
        var object = try #require(targets.json.objectValue)
        change(&object)
        var envelope = try SignedEnvelope(signing: .object(object))
        for key in keys ?? Array(targetKeys.prefix(2)) { try envelope.sign(by: key, as: key.publicKey.keyID()) }
        return envelope
    }

    func accept(_ bytes: [UInt8], at now: ExpiryTime? = nil) throws -> TargetsMetadata {
        try TrustedRoot(trusting: signedRoot()).targets(bytes, at: now)
    }

    /// The code that targets are refused with.
    func refusal(_ bytes: [UInt8], at now: ExpiryTime? = nil) throws -> String? {
        do {
            _ = try accept(bytes, at: now)
            return nil
        } catch let error as TrustError {
            return error.code.rawValue
        }
    }
}

extension SignedEnvelope {
    /// The file with one signature's text changed.
    func bytes(changing index: Int, text: (String) -> String) throws -> [UInt8] {
        var json = try JSONValue.parse(bytes)
        var list = json["signatures"]?.arrayValue ?? []
        list[index] = [
            "keyid": .string(signatures[index].keyID), "sig": .string(text(signatures[index].text)),
        ]
        json = ["signatures": .array(list), "signed": signed]
        return json.serialised()
    }
}
