import CTransfer
import ControlProtocol
import Delivery
import FleetAPI
import LinuxSystem
import Spool
import TestSupport
import Testing

@testable import UplinkRuntime

@Suite("Parts of the uplink")
struct PartsTests {
    private func load() {
        var problem = [CChar](repeating: 0, count: 512)
        #expect(hf_transfer_load(&problem, problem.count) == 0)
    }

    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).compactMap { offset in
            UInt8(hex.dropFirst(offset).prefix(2), radix: 16)
        }
    }

    /// RFC 8032, section 7.1, tests 1 and 2: seed, public key, message, signature.
    static let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ]

    @Test("keys sign as RFC 8032 says, and survive their file", arguments: vectors)
    func keys(seed: String, publicKey: String, message: String, signature: String) throws {
        load()
        let wrapped = bytes("302e020100300506032b657004220420" + seed)
        let pem = "-----BEGIN PRIVATE KEY-----\n\(Base64.standard.encode(wrapped))\n-----END PRIVATE KEY-----\n"
        let key = try #require(SigningKey(pem: Array(pem.utf8)))
        #expect(key.publicKey == bytes(publicKey))
        #expect(key.signature(of: bytes(message)) == bytes(signature))
        #expect(key.pem == Array(pem.utf8))
    }

    @Test("what is no Ed25519 key is none")
    func otherKeys() {
        load()
        #expect(SigningKey(pem: []) == nil)
        #expect(SigningKey(pem: Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8)) == nil)
    }

    @Test(
        "a file is as it was or as it should be, whatever step fails",
        arguments: ["openat", "write", "fsync", "rename"])
    func durableFolder(call: String) throws {
        let directory = try TemporaryDirectory()
        let folder = try DurableFolder("\(directory.path)/folder")
        try folder.write("a", Array("old".utf8))
        let isDone =
            (try? FaultInjection.during(call, errno: 5, .times(1)) { try folder.write("a", Array("new".utf8)) }) != nil
        #expect(!isDone)
        #expect(try folder.read("a") == Array("old".utf8))
        try folder.write("a", Array("newer".utf8))
        #expect(try folder.read("a") == Array("newer".utf8))
        #expect(folder.names() == ["a"])
        #expect(try SystemCall.status(of: "\(directory.path)/folder").mode == 0o700)
    }

    @Test("a batch has a gap for what is missing and for what central will not take")
    func batch() throws {
        load()
        func record(_ number: UInt64) -> SpoolItem {
            .record(SpoolRecord(sequence: number, writtenAt: 5, bytes: Array("{\"n\":\(number)}".utf8)))
        }
        let items = [record(1), .gap(2...4), record(5), record(6), record(7)]
        let plan = QueueProgress.Plan(after: 0, maximumBytes: 1000, maximumRecords: 100, through: 6, omits: [5])
        let batch = try #require(
            TelemetryBatch(
                items, plan, spool: SpoolID(bytes: [UInt8](repeating: 1, count: 16)), queue: .readings, after: nil,
                sent: 0))
        #expect(batch.content.last == 6 && batch.content.records == 2 && batch.content.lastRecord == 6)
        #expect(batch.numbers == [1, 5, 6])
        #expect(batch.number(onLine: 4) == 6)
        #expect(batch.number(onLine: 1) == nil)
        #expect(batch.lastChecksum != nil)
    }

    @Test("an enrolment survives its file")
    func enrolment() throws {
        var enrolment = Enrolment()
        enrolment.current = .init(url: "https://a:1", pins: [[UInt8](repeating: 3, count: 32)], device: "0011")
        enrolment.next = EnrolmentToken(
            url: "https://b:2", pins: [[UInt8](repeating: 4, count: 32)], secret: [UInt8](repeating: 5, count: 32))
        enrolment.floor = 77
        enrolment.labels = ["a": "b"]
        #expect(try Enrolment(json: try JSONValue.parse(enrolment.json.serialised())) == enrolment)
        #expect(try Enrolment(json: [:]) == Enrolment())
    }
}
