import BundleFormat
import ControlProtocol
import Crypto
import HTTPTypes
import LinuxSystem
import TestSupport
import Testing
import Trust

@testable import CentralService

/// A bundle as an operator has it on the disk.
struct TestBundle: Sendable {
    let name: String
    /// `VERSION@HASH`.
    let version: String
    let file: String
    let bytes: [UInt8]

    /// - Parameter size: of a file in it that does not compress.
    init(_ name: String = "hello", _ version: String = "1.0.0", size: Int = 3000, gzip: Bool = false) throws {
        let folder = try TemporaryDirectory()
        let manifest = #"{"format":1,"name":"\#(name)","version":"\#(version)","release":1}"#
        try folder.write("in/manifest.json", manifest)
        // The same for the same version.
        var state = UInt64(size)
        let content = (0..<size).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        try folder.write("in/data", content)
        let packer = try BundlePacker(folder: folder.path + "/in")
        let compression: BundleCompression = gzip ? .gzip : .zstandard
        file = "\(name)-\(version).\(compression.rawValue)"
        let path = "\(folder.path)/\(file)"
        do {
            let descriptor = try SystemCall.open(path, [.writeOnly, .create], permissions: 0o600)
            try packer.write(to: descriptor.rawValue, compression)
        }
        bytes = try SystemCall.readFile(path, limit: 1 << 24)
        self.name = name
        self.version = packer.manifest.identifier
    }

    var sha256: String { Self.hash(bytes) }

    static func hash(_ bytes: [UInt8]) -> String { Hexadecimal.encode(Array(SHA256.hash(data: bytes))) }

    var draft: JSONValue {
        ["file": .string(file), "size": .int(Int64(bytes.count)), "sha256": .string(sha256)]
    }
}

/// Keys, and what they sign.
struct TestSigner {
    private let rootKey: SigningKey
    private let targetsKey: SigningKey
    private static let later = ExpiryTime(seconds: 2_000_000_000)

    init() throws {
        rootKey = try SigningKey.generate()
        targetsKey = try SigningKey.generate()
    }

    func root(version: Int = 1) throws -> [UInt8] {
        let rootRole = RootMetadata.Role(keyIDs: [try rootKey.publicKey.keyID()], threshold: 1)
        let root = RootMetadata(
            header: MetadataHeader(type: "root", version: version, expires: Self.later),
            keys: [
                try rootKey.publicKey.keyID(): rootKey.publicKey,
                try targetsKey.publicKey.keyID(): targetsKey.publicKey,
            ],
            roles: [
                .root: rootRole, .timestamp: rootRole, .snapshot: rootRole,
                .targets: RootMetadata.Role(keyIDs: [try targetsKey.publicKey.keyID()], threshold: 1),
            ])
        var envelope = try SignedEnvelope(signing: root.json)
        try envelope.sign(by: rootKey, as: rootKey.publicKey.keyID())
        return envelope.bytes
    }

    func targets(_ bundles: [TestBundle], version: Int = 1) throws -> [UInt8] {
        var targets = TargetsMetadata(version: version, expires: Self.later)
        for bundle in bundles {
            targets.set(bundle.file, TargetFile(length: bundle.bytes.count, sha256: try SHA256Digest(of: bundle.bytes)))
        }
        var envelope = try SignedEnvelope(signing: targets.json)
        try envelope.sign(by: targetsKey, as: targetsKey.publicKey.keyID())
        return envelope.bytes
    }
}

extension CentralUnderTest {
    func put(_ name: String, _ bytes: [UInt8], _ token: String) async throws -> Answer {
        try await answer(
            .put, "/api/v1/metadata/\(name)", headers: [.authorization: "Bearer \(token)"], content: bytes)
    }

    func patch(_ sha256: String, at offset: Int, _ bytes: [UInt8], _ token: String) async throws -> Answer {
        try await answer(
            .patch, "/api/v1/uploads/\(sha256)",
            headers: [.authorization: "Bearer \(token)", .uploadOffset: String(offset)], content: bytes)
    }

    /// In one piece.
    func upload(_ bundle: TestBundle, _ token: String) async throws -> Answer {
        let begun = try await ask(.post, "/bundles", token, bundle.draft)
        guard begun.status == 202 else { return begun }
        return try await patch(bundle.sha256, at: 0, bundle.bytes, token)
    }

    /// Uploaded and signed.
    func publish(_ bundles: [TestBundle], _ token: String) async throws {
        for bundle in bundles { #expect(try await upload(bundle, token).status == 201) }
        #expect(try await put("targets.json", TestSigner().targets(bundles), token).status == 200)
    }
}
