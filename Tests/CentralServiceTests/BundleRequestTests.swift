import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import LinuxSystem
import NIOCore
import TestSupport
import Testing

@testable import CentralService

@Suite("Bundles at central", .timeLimit(.minutes(1)))
struct BundleRequestTests {
    @Test("an upload goes on where it was, also after a restart, and is there byte for byte")
    func resumed() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle(size: 200_000)
            let begun = try await central.ask(.post, "/bundles", token, bundle.draft)
            #expect(begun.status == 202 && begun.json["offset"] == 0)
            let first = try await central.patch(bundle.sha256, at: 0, Array(bundle.bytes[..<70_000]), token)
            #expect(first.status == 200 && first.json["offset"] == 70_000)

            let later = try await central.restarted()
            let again = try await later.ask(.post, "/bundles", token, bundle.draft)
            #expect(again.status == 202 && again.json["offset"] == 70_000)
            let wrong = try await later.patch(bundle.sha256, at: 60_000, [1], token)
            #expect(wrong.status == 409 && wrong.problem == "offset" && wrong.json["offset"] == 70_000)
            let done = try await later.patch(bundle.sha256, at: 70_000, Array(bundle.bytes[70_000...]), token)
            #expect(done.status == 201)
            #expect(done.json["version"]?.stringValue == bundle.version && done.json["name"] == "hello")
            #expect(done.json["signed"] == false && done.json["uploaded_by"] == "operator")

            // The answer was lost, or somebody else has the same file.
            #expect(try await later.ask(.post, "/bundles", token, bundle.draft).status == 200)
            #expect(try await later.patch(bundle.sha256, at: bundle.bytes.count, [], token).status == 404)
            let content = try await later.answer(.get, "/api/v1/content/\(bundle.sha256)")
            #expect(content.status == 200 && content.content == bundle.bytes)
            #expect(try SystemCall.names(inDirectory: central.content + "/incoming").isEmpty)
        }
    }

    @Test("what came before a connection broke off is kept")
    func brokenOff() async throws {
        struct BrokenOff: Error {}
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle(size: 50_000)
            _ = try await central.ask(.post, "/bundles", token, bundle.draft)
            let (stream, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            for start in [0, 10_000, 20_000] {
                source.yield(ByteBuffer(bytes: bundle.bytes[start..<start + 10_000]))
            }
            source.finish(throwing: BrokenOff())
            let answer = try? await central.answer(
                .patch, "/api/v1/uploads/\(bundle.sha256)",
                headers: [.authorization: "Bearer \(token)", .uploadOffset: "0"], body: .init(asyncSequence: stream))
            #expect(answer?.status != 200)
            #expect(try await central.ask(.post, "/bundles", token, bundle.draft).json["offset"] == 30_000)
            let done = try await central.patch(bundle.sha256, at: 30_000, Array(bundle.bytes[30_000...]), token)
            #expect(done.status == 201)
        }
    }

    @Test("what is not what was announced is refused, and nothing of it stays", arguments: ["other", "no-bundle"])
    func refused(_ how: String) async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle()
            var draft = bundle.draft
            var bytes = bundle.bytes
            var hash = bundle.sha256
            if how == "no-bundle" {
                bytes = Array("this is no archive".utf8)
                hash = TestBundle.hash(bytes)
                draft = ["file": "x.tar.zst", "size": .int(Int64(bytes.count)), "sha256": .string(hash)]
            } else {
                bytes[bytes.count / 2] ^= 1
            }
            #expect(try await central.ask(.post, "/bundles", token, draft).status == 202)
            let answer = try await central.patch(hash, at: 0, bytes, token)
            #expect(answer.status == 422 && answer.problem == "content")
            #expect(try await central.store.uploads().isEmpty)
            #expect(try await central.answer(.get, "/api/v1/content/\(hash)").status == 404)
            #expect(try SystemCall.names(inDirectory: central.content + "/incoming").isEmpty)
            #expect(try SystemCall.names(inDirectory: central.content) == ["incoming"])
        }
    }

    @Test("more than was announced is refused, and what came rightly is kept")
    func tooLong() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle()
            _ = try await central.ask(.post, "/bundles", token, bundle.draft)
            _ = try await central.patch(bundle.sha256, at: 0, Array(bundle.bytes[..<100]), token)
            let answer = try await central.patch(
                bundle.sha256, at: 100, Array(bundle.bytes[100...]) + [0], token)
            #expect(answer.status == 400)
            #expect(try await central.ask(.post, "/bundles", token, bundle.draft).json["offset"] == 100)
        }
    }

    @Test("a bundle that is too large, or has a name that is none, is not begun")
    func drafts() async throws {
        var settings = CentralSettings()
        settings.largestBundle = 1000
        try await CentralUnderTest.with(settings: settings) { central in
            let token = try await central.token(.operator)
            let hash = String(repeating: "a", count: 64)
            func begin(_ file: String, _ size: Int64, _ hash: String) async throws -> Int {
                try await central.ask(
                    .post, "/bundles", token, ["file": .string(file), "size": .int(size), "sha256": .string(hash)]
                ).status
            }
            #expect(try await begin("a.tar.zst", 1001, hash) == 413)
            #expect(try await begin("a.tar.zst", 0, hash) == 400)
            #expect(try await begin("../a.tar.zst", 10, hash) == 400)
            #expect(try await begin(".a", 10, hash) == 400)
            #expect(try await begin("a.tar.zst", 10, hash.uppercased()) == 400)
            #expect(try await begin("a.tar.zst", 10, "../../../etc/passwd") == 400)
            #expect(try await central.patch("..%2f..%2fetc", at: 0, [1], token).status == 404)
            for number in 0..<32 {
                let hash = String(repeating: "0", count: 62) + (number < 10 ? "0\(number)" : "\(number)")
                #expect(try await begin("a.tar.zst", 10, hash) == 202)
            }
            #expect(try await begin("a.tar.zst", 10, hash) == 400)
        }
    }

    @Test("a version is there once, and the same bytes are there once")
    func conflicts() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let (bundle, other) = (try TestBundle(), try TestBundle(gzip: true))
            #expect(bundle.version == other.version && bundle.sha256 != other.sha256)
            #expect(try await central.upload(bundle, token).status == 201)
            #expect(try await central.upload(other, token).status == 409)
            #expect(try await central.answer(.get, "/api/v1/content/\(other.sha256)").status == 404)
            #expect(try await central.store.uploads().isEmpty)
            var renamed = try #require(bundle.draft.objectValue)
            renamed["file"] = "other.tar.zst"
            #expect(try await central.ask(.post, "/bundles", token, .object(renamed)).status == 409)
            #expect(try await central.answer(.get, "/api/v1/content/\(bundle.sha256)").status == 200)
        }
    }

    @Test("killed between the last byte and the entry, the next request finds the content there")
    func adopted() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle()
            #expect(try await central.upload(bundle, token).status == 201)
            try await central.store.removeBundle(content: bundle.sha256)
            #expect(try await central.ask(.post, "/bundles", token, bundle.draft).status == 201)
            #expect(
                try await central.ask(.get, "/bundles/hello/1.0.0", token).json["sha256"]?.stringValue == bundle.sha256)
        }
    }

    @Test("a newer request goes on with an upload, and the older one is out")
    func overtaken() throws {
        let folder = try TemporaryDirectory()
        let file = try IncomingFile(folder.path + "/part")
        let first = try file.claim(at: 0)
        try file.append(ByteBuffer(bytes: [1, 2]), ticket: first, limit: 4)
        let second = try file.claim(at: 2)
        #expect(throws: IncomingFile.Refusal.overtaken) {
            try file.append(ByteBuffer(bytes: [3]), ticket: first, limit: 4)
        }
        #expect(throws: IncomingFile.Refusal.wrongOffset(2)) { try file.claim(at: 1) }
        try file.append(ByteBuffer(bytes: [3]), ticket: second, limit: 4)
        #expect(throws: IncomingFile.Refusal.tooLong) {
            try file.append(ByteBuffer(bytes: [4, 5]), ticket: second, limit: 4)
        }
        #expect(try file.finish(ticket: second) { hash, _ in hash } == TestBundle.hash([1, 2, 3]))
        // As after a restart.
        let again = try IncomingFile(folder.path + "/part")
        #expect(again.offset == 3)
        #expect(try again.finish(ticket: try again.claim(at: 3)) { hash, _ in hash } == TestBundle.hash([1, 2, 3]))
    }

    @Test("a full disk is a failure of the write, after which the file is as it was")
    func noSpace() throws {
        let folder = try TemporaryDirectory()
        let file = try IncomingFile(folder.path + "/part")
        let ticket = try file.claim(at: 0)
        try file.append(ByteBuffer(bytes: [1]), ticket: ticket, limit: 4)
        let error = #expect(throws: SystemError.self) {
            try FaultInjection.during("pwrite", errno: SystemError.noSpace) {
                try file.append(ByteBuffer(bytes: [2]), ticket: ticket, limit: 4)
            }
        }
        #expect(error?.isNoSpace == true && file.offset == 1)
    }

    @Test("an upload that nobody goes on with is forgotten after a day, and what belongs to nobody goes")
    func forgotten() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let (kept, left, orphan) = (try TestBundle("a"), try TestBundle("b"), try TestBundle("c"))
            #expect(try await central.upload(kept, token).status == 201)
            #expect(try await central.upload(orphan, token).status == 201)
            try await central.store.removeBundle(content: orphan.sha256)
            _ = try await central.ask(.post, "/bundles", token, left.draft)
            _ = try await central.patch(left.sha256, at: 0, [1, 2, 3], token)
            try await central.central.forgetUploads()
            #expect(try await central.store.uploads().count == 1)
            // Files have the machine's time, which is later than the test's.
            central.time.advance(seconds: 100 * 31_536_000)
            try await central.central.forgetUploads()
            #expect(try await central.store.uploads().isEmpty)
            #expect(try SystemCall.names(inDirectory: central.content + "/incoming").isEmpty)
            #expect(try await central.answer(.get, "/api/v1/content/\(orphan.sha256)").status == 404)
            #expect(try await central.answer(.get, "/api/v1/content/\(kept.sha256)").status == 200)
        }
    }

    // MARK: Download

    @Test(
        arguments: [
            (nil, .whole), ("bytes=0-9", .part(0..<10)), ("bytes=90-", .part(90..<100)), ("bytes=-10", .part(90..<100)),
            ("bytes=-1000", .part(0..<100)), ("bytes=95-2000", .part(95..<100)), ("bytes=99-99", .part(99..<100)),
            ("bytes=100-", .unsatisfiable), ("bytes=100-200", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("BYTES = 1-2", .whole), ("Bytes=1-2", .part(1..<3)), ("bytes=5-4", .whole), ("bytes=a-b", .whole),
            ("bytes=1-2,5-6", .whole), ("lines=1-2", .whole), ("bytes=", .whole), ("bytes=-", .whole),
            ("bytes=0-99999999999999999999999", .part(0..<100)), ("bytes=99999999999999999999-", .unsatisfiable),
            ("bytes=+1-2", .whole),
        ] as [(String?, ByteRange)])
    func ranges(field: String?, range: ByteRange) {
        #expect(ByteRange(field, size: 100) == range)
    }

    @Test("bytes are given by range, and never those of something else")
    func download() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle(size: 400_000)
            #expect(try await central.upload(bundle, token).status == 201)
            let path = "/api/v1/content/\(bundle.sha256)"
            let tag = "\"\(bundle.sha256)\""
            let size = bundle.bytes.count
            func get(_ headers: HTTPFields, _ method: HTTPRequest.Method = .get) async throws -> Answer {
                try await central.answer(method, path, headers: headers)
            }
            let whole = try await get([:])
            #expect(whole.status == 200 && whole.content == bundle.bytes)
            #expect(whole.headers[.eTag] == tag && whole.headers[.acceptRanges] == "bytes")
            #expect(whole.headers[.cacheControl] == "public, max-age=31536000, immutable")
            #expect(whole.headers[.contentLength] == String(size))

            let part = try await get([.range: "bytes=150000-299999"])
            #expect(part.status == 206 && part.content == Array(bundle.bytes[150_000..<300_000]))
            #expect(part.headers[.contentRange] == "bytes 150000-299999/\(size)")
            #expect(part.headers[.contentLength] == "150000")
            #expect(try await get([.range: "bytes=5-", .ifRange: tag]).status == 206)
            // Weak, another one, or a date: the whole thing.
            for other in ["W/\(tag)", "\"other\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
                #expect(try await get([.range: "bytes=5-", .ifRange: other]).status == 200)
            }
            let behind = try await get([.range: "bytes=\(size)-"])
            #expect(behind.status == 416 && behind.headers[.contentRange] == "bytes */\(size)")

            for field in [tag, "\"x\", W/\(tag)", "*"] {
                let same = try await get([.ifNoneMatch: field, .range: "bytes=0-1"])
                #expect(same.status == 304 && same.content.isEmpty && same.headers[.eTag] == tag)
            }
            #expect(try await get([.ifNoneMatch: "\"x\""]).status == 200)
            let none = try await central.answer(.head, "/api/v1/content/none")
            #expect(none.status == 404 && none.content.isEmpty)
            let head = try await get([.range: "bytes=0-1"], .head)
            #expect(head.status == 200 && head.content.isEmpty && head.headers[.contentLength] == String(size))
        }
    }

    @Test("who guesses hashes is slowed down; who knows one is not")
    func guesses() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundle = try TestBundle()
            #expect(try await central.upload(bundle, token).status == 201)
            var statuses: Set<Int> = []
            for _ in 0..<100 {
                let hash = String(repeating: "f", count: 64)
                let answer = try await central.answer(.get, "/api/v1/content/\(hash)")
                statuses.insert(answer.status)
                #expect(answer.headers[.contentType] == "application/problem+json")
            }
            #expect(statuses == [404, 429])
            #expect(try await central.answer(.get, "/api/v1/content/\(bundle.sha256)").status == 200)
        }
    }

    // MARK: Lists, and removal

    @Test("bundles are listed by pages, the newest first, and found by a part of their version")
    func listed() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let bundles = [
                try TestBundle(), try TestBundle("hello", "1.1.0"), try TestBundle("hello", "1.1.0", size: 10),
                try TestBundle("other"),
            ]
            for bundle in bundles { #expect(try await central.upload(bundle, token).status == 201) }
            func versions(_ query: String) async throws -> ([String], String?) {
                let json = try await central.ask(.get, "/bundles" + query, token).json
                return (
                    (json["bundles"]?.arrayValue ?? []).compactMap { $0["version"]?.stringValue },
                    json["next"]?.stringValue
                )
            }
            let first = try await versions("?limit=3")
            #expect(first.0 == bundles.reversed().prefix(3).map(\.version))
            #expect(try await versions("?limit=3&before=\(first.1 ?? "")").0 == [bundles[0].version])
            #expect(try await versions("?name=other").0 == [bundles[3].version])
            #expect(try await central.ask(.get, "/bundles/hello/1.0.0", token).status == 200)
            #expect(try await central.ask(.get, "/bundles/hello/\(bundles[1].version)", token).status == 200)
            #expect(try await central.ask(.get, "/bundles/hello/1.1.0", token).status == 409)
            #expect(try await central.ask(.get, "/bundles/hello/1.1", token).status == 404)

            #expect(try await central.ask(.delete, "/bundles/hello/1.0.0", token).status == 204)
            #expect(try await central.answer(.get, "/api/v1/content/\(bundles[0].sha256)").status == 404)
            #expect(try await central.ask(.delete, "/bundles/hello/1.0.0", token).status == 404)
            #expect(try await central.upload(bundles[0], token).status == 201)
        }
    }

    // MARK: Metadata

    @Test("metadata go to devices as they came, and never back")
    func metadata() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let device = try await central.device()
            let path = "/api/v1/device/metadata/targets.json"
            #expect(try await device.send(.get, path).status == 404)
            let bundle = try TestBundle()
            let signer = try TestSigner()
            let (one, two) = (try signer.targets([], version: 1), try signer.targets([bundle], version: 2))
            #expect(try await central.put("targets.json", one, token).json["verified"] == false)
            let given = try await device.send(.get, path)
            #expect(given.status == 200 && given.content == one)
            let tag = try #require(given.headers[.eTag])
            #expect(try await device.send(.get, path, headers: [.ifNoneMatch: tag]).status == 304)

            #expect(try await central.put("targets.json", two, token).json["version"] == 2)
            #expect(try await central.put("targets.json", two, token).status == 200)
            #expect(try await central.put("targets.json", one, token).status == 409)
            let other = try await central.put("targets.json", try signer.targets([], version: 2), token)
            #expect(other.status == 409)
            let newer = try await device.send(.get, path, headers: [.ifNoneMatch: tag])
            #expect(newer.status == 200 && newer.content == two)
            var later = device
            later.central = try await central.restarted()
            central.time.advance(seconds: 1)
            #expect(try await later.send(.get, path).content == two)

            #expect(try await central.answer(.get, path).status == 401)
            #expect(try await device.send(.get, "/api/v1/device/metadata/other.json").status == 404)
            #expect(try await central.put("other.json", two, token).status == 404)
            #expect(try await central.put("targets.json", Array("{}".utf8), token).status == 422)
        }
    }

    @Test("with a root, targets that it does not hold for are refused, and whoever uploads is told why")
    func rooted() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let (signer, stranger) = (try TestSigner(), try TestSigner())
            #expect(try await central.put("targets.json", stranger.targets([]), token).status == 200)
            let root = try await central.put("root.json", signer.root(), token)
            #expect(root.status == 200 && root.json["detail"]?.stringValue?.contains("does not hold") == true)
            let foreign = try await central.put("targets.json", stranger.targets([], version: 2), token)
            #expect(foreign.status == 422 && foreign.problem == "untrusted")
            #expect(foreign.json["detail"]?.stringValue?.contains("which the root does not know") == true)
            let own = try await central.put("targets.json", signer.targets([], version: 2), token)
            #expect(own.status == 200 && own.json["verified"] == true)
            #expect(try await central.put("root.json", signer.targets([]), token).status == 422)
            var device = try await central.device()
            device.central = central
            #expect(try await device.send(.get, "/api/v1/device/metadata/root.json").content == signer.root())
        }
    }

    @Test("a bundle shows whether devices will find it signed")
    func signing() async throws {
        try await CentralUnderTest.with { central in
            let token = try await central.token(.operator)
            let (bundle, rebuilt) = (try TestBundle(), try TestBundle(size: 3001))
            let signer = try TestSigner()
            func signed() async throws -> JSONValue? {
                try await central.ask(.get, "/bundles/hello/\(bundle.version)", token).json["signed"]
            }
            #expect(try await central.upload(bundle, token).status == 201)
            #expect(try await signed() == false)
            #expect(try await central.put("targets.json", signer.targets([bundle]), token).status == 200)
            #expect(try await signed() == true)
            // The same file's name, with other content.
            #expect(try await central.put("targets.json", signer.targets([rebuilt], version: 2), token).status == 200)
            #expect(try await signed() == false)
        }
    }
}
