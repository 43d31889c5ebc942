import Testing

@testable import Trust

struct KeyTests {
    @Test func `a key file opens with its passphrase and with no other`() throws {
        let key = try SigningKey.generate()
        let pem = Array(try key.pem(passphrase: "correct horse").utf8)
        #expect(String(decoding: pem, as: UTF8.self).hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        #expect(try SigningKey.parse(pem: pem, passphrase: "correct horse").publicKey == key.publicKey)
        let cases: [(String?, TrustError.Code)] = [
            (nil, .passphraseNeeded), ("wrong", .wrongPassphrase), ("", .wrongPassphrase),
        ]
        for (passphrase, code) in cases {
            let error = #expect(throws: TrustError.self) { try SigningKey.parse(pem: pem, passphrase: passphrase) }
            #expect(error?.code == code)
        }
        let plain = Array(try key.pem(passphrase: nil).utf8)
        #expect(try SigningKey.parse(pem: plain, passphrase: nil).publicKey == key.publicKey)
    }

    /// Of `openssl genpkey -algorithm X25519`, a key for something else.
    private static let x25519 = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VuBCIEIKgfPVnBGgqF2bR2JyDPGGh6k6ZzZ1FyR9cFrW0v3VhM
        -----END PRIVATE KEY-----
        """

    @Test(arguments: ["", "no key", x25519, String(repeating: "x", count: 20_000)])
    func `what is no such key is refused`(_ text: String) {
        let error = #expect(throws: TrustError.self) { try SigningKey.parse(pem: Array(text.utf8), passphrase: nil) }
        #expect(error?.code == .invalidKey)
        #expect(throws: TrustError.self) { try PublicKey(pem: text) }
    }

    @Test func `a public key is written and read`() throws {
        let key = try SigningKey.generate().publicKey
        let pem = try #require(key.pem)
        #expect(try PublicKey(pem: pem) == key)
        #expect(try PublicKey(json: key.json) == key)
        #expect(throws: TrustError.self) { try PublicKey(pem: pem.replacing("MCow", with: "MCox")) }
        #expect(throws: TrustError.self) { try PublicKey(pem: pem.replacing("=", with: "A")) }
    }

    /// RFC 8032, section 7.1, test 2.
    @Test func `a signature of the specification is good, and one bit makes it bad`() throws {
        let key = try #require(
            Hexadecimal.decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
        var signature = try #require(
            Hexadecimal.decode(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
        #expect(try PublicKey(ed25519: key).verifies(signature, of: [0x72]))
        #expect(try !PublicKey(ed25519: key).verifies(signature, of: [0x73]))
        signature[10] ^= 1
        #expect(try !PublicKey(ed25519: key).verifies(signature, of: [0x72]))
    }

    @Test func `a hash in pieces is that of the whole`() throws {
        #expect(
            try SHA256Digest(of: Array("abc".utf8)).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let hasher = try SHA256Hasher()
        for text in ["a", "", "bc"] {
            try Array(text.utf8).withUnsafeBytes { try hasher.add($0) }
        }
        #expect(try hasher.finish() == SHA256Digest(of: Array("abc".utf8)))
        #expect(try hasher.finish() == SHA256Digest(of: []))
        #expect(SHA256Digest(hex: "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == nil)
    }
}
