import ControlProtocol
import LinuxSystem
import Testing

@testable import Trust

struct MetadataTests {
    private static let folder = String(#filePath.dropLast("MetadataTests.swift".count)) + "python-tuf/"

    private func file(_ name: String) throws -> [UInt8] { try SystemCall.readFile(Self.folder + name, limit: 1 << 20) }

    @Test func `files of python-tuf verify here, whatever text and numbers are in them`() throws {
        let root = try TrustedRoot(trusting: file("root.json"))
        #expect(root.metadata.hasConsistentSnapshots && root.metadata.keys.count == 3)
        for (id, key) in root.metadata.keys { #expect(try key.keyID() == id) }
        let targets = try root.targets(file("targets.json"), at: ExpiryTime(seconds: 0))
        #expect(targets.header.version == 7 && targets.header.expires.description == "2040-01-02T03:04:05Z")
        let custom = try targets.file("vision-1.0.0.tar.zst").custom
        #expect(custom?["holdfast"]?["n"] == -12)
        try targets.file("vision-1.0.0.tar.zst").check(length: 5, sha256: SHA256Digest(of: Array("hello".utf8)))
    }

    @Test func `what is written here reads back as the same`() throws {
        let fixture = try TrustFixture()
        #expect(try RootMetadata(json: fixture.root.json) == fixture.root)
        #expect(try TargetsMetadata(json: fixture.targets.json) == fixture.targets)
        let envelope = try fixture.signedTargets()
        #expect(try SignedEnvelope(parsing: envelope.bytes, limit: 1 << 20) == envelope)
    }

    @Test func `fields that are not known are kept when targets are signed again`() throws {
        let fixture = try TrustFixture()
        let envelope = try fixture.signedTargets { $0["delegations"] = ["keys": [:], "roles": []] }
        let again = try TargetsMetadata(unverified: envelope)
        #expect(again.json["delegations"] == ["keys": [:], "roles": []])
        #expect(try fixture.refusal(envelope.bytes) == nil)
    }

    @Test(arguments: [
        (#"{"signatures":[],"signed":{"a":1,"a":2}}"#, "duplicate-key"),
        (#"{"signatures":[],"signed":{"a":1.5}}"#, "fraction"),
        (#"{"signatures":[],"signed":{"a":1e3}}"#, "fraction"),
        (#"{"signatures":[],"signed":{"a":123456789012345678901234567890}}"#, "number-out-of-range"),
        (#"{"signatures":[],"signed":{"a":"\u0000"}}"#, "nul-character"),
        (#"{"signatures":[],"signed":[]}"#, "wrong-type"),
        (#"{"signatures":[]}"#, "missing"),
        (#"{"signed":{}}"#, "missing"),
        (#"{"signatures":[{"keyid":"a"}],"signed":{}}"#, "missing"),
        (#"{"signatures":[],"signed":{"#, "syntax"),
        (#"{"signatures":[],"signed":{}} more"#, "syntax"),
    ])
    func `a file that is no such JSON is refused`(_ text: String, _ code: String) throws {
        let error = #expect(throws: TrustError.self) {
            try SignedEnvelope(parsing: Array(text.utf8), limit: 1 << 20)
        }
        #expect(error?.code.rawValue == code)
    }

    @Test func `deep nesting, many signatures and long files are refused before they cost anything`() throws {
        let deep = String(repeating: "[", count: 100_000)
        let many = Array(repeating: #"{"keyid":"a","sig":""}"#, count: 65).joined(separator: ",")
        let cases = [
            (#"{"signatures":[],"signed":{"a":\#(deep)"#, "too-deep"),
            (#"{"signatures":[\#(many)],"signed":{}}"#, "too-large"),
            (String(repeating: " ", count: 1 << 20), "too-large"),
        ]
        for (text, code) in cases {
            let error = #expect(throws: TrustError.self) {
                try SignedEnvelope(parsing: Array(text.utf8), limit: 1 << 19)
            }
            #expect(error?.code.rawValue == code)
        }
    }

    private static let badTargets: [(@Sendable (inout JSONObject) -> Void, String)] = [
        ({ $0["_type"] = "root" }, "wrong-metadata-type"),
        ({ $0["spec_version"] = "2.0.0" }, "unsupported-spec-version"),
        ({ $0["version"] = 0 }, "invalid-value"),
        ({ $0["version"] = "1" }, "wrong-type"),
        ({ $0["expires"] = "2030-02-30T00:00:00Z" }, "invalid-value"),
        ({ $0["expires"] = "2030-01-01" }, "invalid-value"),
        ({ $0["targets"] = nil }, "missing"),
        ({ $0["targets"] = ["a": ["length": 1, "hashes": ["md5": "d41d8cd98f00b204e9800998ecf8427e"]]] }, "weak-hash"),
        ({ $0["targets"] = ["a": ["length": 1, "hashes": [:]]] }, "weak-hash"),
        ({ $0["targets"] = ["a": ["length": 1, "hashes": ["sha256": "abc"]]] }, "invalid-value"),
        ({ $0["targets"] = ["a": ["length": -1, "hashes": ["sha256": "abc"]]] }, "invalid-value"),
        ({ $0["targets"] = ["": ["length": 1, "hashes": ["sha256": "abc"]]] }, "invalid-value"),
    ]

    @Test(arguments: badTargets.indices)
    func `targets that are signed and still make no sense are refused`(_ index: Int) throws {
        let fixture = try TrustFixture()
        let (change, code) = Self.badTargets[index]
        #expect(try fixture.refusal(fixture.signedTargets(change: change).bytes) == code)
    }

    @Test(arguments: [
        (#""threshold":2"#, #""threshold":0"#), (#""roles":{"root""#, #""roles":{"Root""#),
        (#""keytype":"ed25519""#, #""keytype":5"#),
    ])
    func `a root that makes no sense is refused`(_ old: String, _ new: String) throws {
        let text = String(decoding: try TrustFixture().root.json.serialised(), as: UTF8.self)
        let parts = text.split(separator: old, maxSplits: 1)
        let json = try JSONValue.parse(Array("\(parts[0])\(new)\(parts[1])".utf8))
        #expect(throws: TrustError.self) { try RootMetadata(json: json) }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (4_102_444_799, "2099-12-31T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
    func `a time is written and read as the specification has it`(_ seconds: Int64, _ text: String) {
        #expect(ExpiryTime(seconds: seconds).description == text)
        #expect(ExpiryTime(text)?.seconds == seconds)
    }
}
