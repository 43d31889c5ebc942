import ControlProtocol
import Testing

@testable import Trust

struct SignatureTests {
    private let fixture: TrustFixture

    init() throws { fixture = try TrustFixture() }

    @Test func `targets that enough keys have signed are believed, with what is said of each file`() throws {
        let targets = try fixture.accept(fixture.signedTargets().bytes, at: ExpiryTime(seconds: 1_900_000_000))
        let file = try targets.file("vision.tar.zst")
        #expect(file.length == 5 && file.custom?["a"] == 1)
        try file.check(length: 5, sha256: SHA256Digest(of: Array("hello".utf8)))
        let refusals: [(Int, String, TrustError.Code)] = [(4, "hell", .wrongLength), (5, "hallo", .wrongHash)]
        for (length, text, code) in refusals {
            let error = #expect(throws: TrustError.self) {
                try file.check(length: length, sha256: SHA256Digest(of: Array(text.utf8)))
            }
            #expect(error?.code == code)
        }
        #expect(throws: TrustError.self) { try targets.file("vision.tar.gz") }
    }

    @Test func `a threshold is reached by different keys only`() throws {
        let keys = fixture.targetKeys
        #expect(try fixture.refusal(fixture.signedTargets(by: []).bytes) == "no-signature")
        #expect(try fixture.refusal(fixture.signedTargets(by: [keys[0]]).bytes) == "threshold-not-met")
        #expect(try fixture.refusal(fixture.signedTargets(by: [keys[2], keys[0]]).bytes) == nil)
        // The same key as two signatures, under one name.
        var json = try JSONValue.parse(fixture.signedTargets(by: [keys[0]]).bytes)
        let one = try #require(json["signatures"]?.arrayValue?.first)
        json = ["signatures": [one, one], "signed": try #require(json["signed"])]
        #expect(try fixture.refusal(json.serialised()) == "repeated-key")
    }

    @Test func `one key under two names counts once`() throws {
        var fixture = fixture
        let key = fixture.targetKeys[0]
        fixture.root.keys["alias"] = key.publicKey
        fixture.root = RootMetadata(
            header: fixture.root.header, keys: fixture.root.keys,
            roles: fixture.root.roles.merging([
                .targets: RootMetadata.Role(keyIDs: [try key.publicKey.keyID(), "alias"], threshold: 2)
            ]) { $1 })
        var envelope = try fixture.signedTargets(by: [key])
        try envelope.sign(by: key, as: "alias")
        #expect(try fixture.refusal(envelope.bytes) == "repeated-key")
    }

    @Test func `keys that may not sign for targets do not`() throws {
        let stranger = try SigningKey.generate()
        let keys = [fixture.targetKeys[0]]
        #expect(try fixture.refusal(fixture.signedTargets(by: keys + [stranger]).bytes) == "unknown-key")
        #expect(
            try fixture.refusal(fixture.signedTargets(by: keys + [fixture.rootKey]).bytes) == "key-of-another-role")
        // Besides enough good ones they do no harm: their owners may be on their way out.
        #expect(try fixture.refusal(fixture.signedTargets(by: fixture.targetKeys + [stranger]).bytes) == nil)
    }

    @Test(arguments: [
        ("", "empty-signature"), ("00", "malformed-signature"), ("no digits", "malformed-signature"),
        (String(repeating: "0", count: 128), "wrong-signature"),
        (String(repeating: "0", count: 130), "malformed-signature"),
    ])
    func `what is no signature is none`(_ text: String, _ code: String) throws {
        let envelope = try fixture.signedTargets()
        #expect(try fixture.refusal(envelope.bytes(changing: 1) { _ in text }) == code)
        #expect(try fixture.refusal(envelope.bytes(changing: 0) { _ in text }) == code)
    }

    @Test func `a truncated signature, and the signature of another key, are wrong`() throws {
        let envelope = try fixture.signedTargets()
        let other = envelope.signatures[0].text
        #expect(try fixture.refusal(envelope.bytes(changing: 1) { String($0.dropLast(2)) }) == "malformed-signature")
        #expect(try fixture.refusal(envelope.bytes(changing: 1) { _ in other }) == "wrong-signature")
    }

    @Test(arguments: [("rsa", "rsassa-pss-sha256"), ("ed25519", "none"), ("none", "ed25519"), ("ecdsa", "ed25519")])
    func `a key whose algorithm was swapped verifies nothing`(_ type: String, _ scheme: String) throws {
        var fixture = fixture
        let key = fixture.targetKeys[0].publicKey
        guard case .ed25519(let bytes) = key.algorithm else { return }
        fixture.root.keys[try key.keyID()] = try PublicKey(json: [
            "keytype": .string(type), "scheme": .string(scheme),
            "keyval": ["public": .string(Hexadecimal.encode(bytes))],
        ])
        #expect(try fixture.refusal(fixture.signedTargets().bytes) == "unsupported-algorithm")
    }

    @Test func `a change after signing is seen, in a value and in a key`() throws {
        let text = String(decoding: try fixture.signedTargets().bytes, as: UTF8.self)
        for (old, new) in [(#""length":5"#, #""length":6"#), ("vision.tar", "Vision.tar"), (#""a":1"#, #""b":1"#)] {
            let parts = text.split(separator: old, maxSplits: 1)
            #expect(try fixture.refusal(Array("\(parts[0])\(new)\(parts[1])".utf8)) == "wrong-signature")
        }
    }

    @Test func `a root that is not signed by itself is none`() throws {
        var bytes = try fixture.signedRoot()
        #expect(try TrustedRoot(trusting: bytes).metadata == fixture.root)
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "2")))
        bytes[place] = UInt8(ascii: "3")
        #expect(throws: TrustError.self) { try TrustedRoot(trusting: bytes) }
        var envelope = try SignedEnvelope(signing: fixture.root.json)
        try envelope.sign(by: fixture.targetKeys[0], as: fixture.targetKeys[0].publicKey.keyID())
        let error = #expect(throws: TrustError.self) { try TrustedRoot(trusting: envelope.bytes) }
        #expect(error?.code == .foreignKey)
    }

    @Test func `metadata expire when somebody knows the time`() throws {
        let bytes = try fixture.signedTargets().bytes
        #expect(try fixture.refusal(bytes, at: ExpiryTime(seconds: 2_000_000_000)) == "expired")
        #expect(try fixture.refusal(bytes, at: ExpiryTime(seconds: 1_999_999_999)) == nil)
        #expect(try fixture.refusal(bytes, at: nil) == nil)
    }
}
