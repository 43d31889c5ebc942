import BundleStore
import ControlProtocol
import DownloadProtocol
import LinuxSystem
import PluginSession
import TestSupport
import Testing
import Trust

@testable import ExecutorRuntime

/// A plugin's requests about models, with a real cache; the uplink is played.
@Suite("Requests about models", .timeLimit(.minutes(1)))
final class ModelRequestsTests {
    private let loop: EventLoop
    private let folder: TemporaryDirectory
    private var requests: ModelRequests
    private var uplink: PacketChannel?
    /// By their hashes.
    private var contents: [String: [UInt8]] = [:]
    private var offsets: [Int] = []
    private var failure: DownloadFailure?
    /// In the place of what was asked for.
    private var served: ([UInt8]) -> [UInt8] = { $0 }

    init() throws {
        loop = try EventLoop()
        folder = try TemporaryDirectory()
        requests = try Self.make(loop, folder)
        try connect()
    }

    private static func make(_ loop: EventLoop, _ folder: TemporaryDirectory) throws -> ModelRequests {
        try ModelRequests(loop: loop, folder: "\(folder.path)/models", budget: 100_000, timeLimit: .seconds(20))
    }

    private func connect() throws {
        let (ours, theirs) = try UnixStream.makePacketPair()
        let channel = PacketChannel(loop: loop, socket: ours, longestQueue: 100, packetsPerTurn: 10)
        channel.onPacket = { [unowned self] bytes, file in serve(bytes, file) }
        try channel.start()
        uplink = channel
        try requests.downloads.connect(SharedDescriptor(try SystemCall.duplicate(theirs.rawValue)))
    }

    /// A new process in the place of the one before.
    private func restart() throws {
        requests = try Self.make(loop, folder)
        try connect()
    }

    private func serve(_ bytes: UnsafeRawBufferPointer, _ file: SharedDescriptor?) {
        guard let json = try? JSONValue.parse(bytes),
            case .fetch(let id, let order)? = try? DownloadRequest(json: json),
            case .content(let sha256, _) = order.source, let number = file?.rawValue
        else { return }
        offsets.append(order.offset)
        let content = served(contents[sha256] ?? [])
        _ = content.withUnsafeBytes { bytes in
            try? SystemCall.write(
                number, UnsafeRawBufferPointer(rebasing: bytes.dropFirst(order.offset)), at: Int64(order.offset))
        }
        uplink?.send(DownloadReport.progress(id: id, bytes: content.count / 2).json.serialised())
        uplink?.send(DownloadReport.ended(id: id, failure).json.serialised())
    }

    private func add(_ seed: UInt8, _ length: Int = 30_000) throws -> JSONValue {
        let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) &+ seed }
        let sha256 = try SHA256Digest(of: content).hex
        contents[sha256] = content
        return ["sha256": .string(sha256), "length": .int(Int64(length))]
    }

    @discardableResult
    private func ask(_ name: String, _ arguments: JSONValue) throws -> Result<PluginAnswer, PluginRefusal> {
        let request = try PluginRequest(name: name, arguments: arguments.serialised())
        var answer: Result<PluginAnswer, PluginRefusal>?
        requests.answer(request) { answer = $0 }
        try loop.pump("\(name) is answered") { answer != nil }
        return answer ?? .failure(PluginRefusal(.failed, "never"))
    }

    private func message(_ result: Result<PluginAnswer, PluginRefusal>) -> String {
        if case .failure(let refusal) = result { return refusal.message }
        return ""
    }

    private func sha256(_ model: JSONValue) -> String { model["sha256"]?.stringValue ?? "" }

    private func staging(_ model: JSONValue) -> JSONValue {
        ["worker": "ears", "model": "speech", "sha256": .string(sha256(model))]
    }

    @Test func `a model is fetched once, staged and committed, and the worker finds it`() throws {
        let (old, new) = (try add(1), try add(2))
        var words: [String] = []
        requests.onProgress = { percent, text in words.append("\(percent ?? -1) \(text)") }
        #expect(try ask("model.fetch", old).get().json["was_there"] == false)
        #expect(try ask("model.fetch", old).get().json["was_there"] == true)
        #expect(words == ["50 fetching"])
        let first = try ask("model.stage", staging(old)).get().json
        #expect(first["serving"] == .null || first["serving"] == nil)
        let slot: JSONValue = ["worker": "ears", "model": "speech"]
        _ = try ask("model.commit", slot).get()
        let link = "\(folder.path)/models/serving/ears/speech"
        #expect(try SystemCall.readFile(link, limit: 100_000) == contents[sha256(old)])
        _ = try ask("model.fetch", new).get()
        let second = try ask("model.stage", staging(new)).get().json
        #expect(second["serving"]?["sha256"]?.stringValue == sha256(old))
        #expect(second["path"]?.stringValue?.hasSuffix(sha256(new)) ?? false)
        _ = try ask("model.discard", slot).get()
        #expect(try SystemCall.readFile(link, limit: 100_000) == contents[sha256(old)])
        let list = try ask("model.list", [:]).get().json
        #expect(list["used"] == 60_000)
        #expect(list["models"]?.arrayValue?.count == 2)
        _ = try ask("model.release", slot).get()
        #expect((try? SystemCall.status(of: link, followingLinks: false)) == nil)
    }

    @Test func `what was staged and not committed is not served when the command ends`() throws {
        let model = try add(1)
        _ = try ask("model.fetch", model).get()
        _ = try ask("model.stage", staging(model)).get()
        var isDone = false
        requests.finish { isDone = true }
        try loop.pump("it has ended") { isDone }
        #expect(try SystemCall.names(inDirectory: "\(folder.path)/models/trying/ears").isEmpty)
    }

    @Test func `what comes has to be what was asked for; what an earlier try left wrong is fetched again`() throws {
        let model = try add(1)
        served = { $0.map { $0 ^ 1 } }
        #expect(message(try ask("model.fetch", model)).contains("damaged"))
        #expect(offsets == [0], "once is enough where nothing was there")
        served = { $0 }
        try folder.write("models/partial/\(sha256(model))", [UInt8](repeating: 9, count: 1000))
        _ = try ask("model.fetch", model).get()
        #expect(offsets == [0, 1000, 0])
        // The right beginning is gone on with, also by another process.
        let other = try add(2)
        try folder.write("models/partial/\(sha256(other))", Array((contents[sha256(other)] ?? []).prefix(5000)))
        try restart()
        _ = try ask("model.fetch", other).get()
        #expect(offsets == [0, 1000, 0, 5000])
    }

    @Test func `a download that fails says why, and what cannot be is refused`() throws {
        let model = try add(1)
        failure = DownloadFailure(.notFound, "central does not have it")
        #expect(message(try ask("model.fetch", model)) == "central does not have it (not-found)")
        failure = nil
        #expect(message(try ask("model.fetch", try add(3, 200_000))).contains("no-space"))
        let wrong: [JSONValue] = [
            [:], ["sha256": "x", "length": 5], ["sha256": model["sha256"] ?? .null, "length": -1],
        ]
        for arguments in wrong {
            let result = try ask("model.fetch", arguments)
            guard case .failure(let refusal) = result else {
                Issue.record("it was taken")
                continue
            }
            #expect(refusal.reason == .invalid)
        }
        #expect(message(try ask("model.stage", staging(model))).contains("missing"))
        #expect(message(try ask("model.commit", ["worker": "ears", "model": "speech"])).contains("not-staged"))
        #expect(message(try ask("model.dance", [:])).contains("offers no"))
    }

    @Test func `an artifact comes as a file that nobody can write, where its length is known or it is there`() throws {
        let model = try add(1)
        let name: JSONValue = ["name": "models/ear", "sha256": model["sha256"] ?? .null]
        #expect(message(try ask("artifact.fetch", name)).contains("length"))
        var full = name.objectValue ?? [:]
        full["length"] = model["length"]
        let answer = try ask("artifact.fetch", .object(full)).get()
        let number = try #require(answer.descriptor?.rawValue)
        var bytes = [UInt8](repeating: 0, count: 30_000)
        let count = try bytes.withUnsafeMutableBytes { try SystemCall.read(number, into: $0, at: 0) }
        #expect(count == 30_000 && bytes == contents[sha256(model)])
        #expect(try !SystemCall.isWritableAnywhere(number))
        #expect(try ask("artifact.fetch", name).get().descriptor != nil)
        #expect(offsets == [0])
    }

    @Test func `two that ask for the same model at a time get it both, and it is fetched once`() throws {
        let model = try add(1)
        var answers = 0
        for _ in 0..<3 {
            let request = try PluginRequest(name: "model.fetch", arguments: model.serialised())
            requests.answer(request) { if case .success = $0 { answers += 1 } }
        }
        try loop.pump("all are answered") { answers == 3 }
        #expect(offsets == [0])
    }

    @Test func `while another process works in the cache, it is waited for`() throws {
        let model = try add(1)
        _ = try ask("model.fetch", model).get()
        var other: StoreFolder? = try StoreFolder("\(folder.path)/models")
        let request = try PluginRequest(name: "model.list", arguments: JSONValue.object([:]).serialised())
        var isAnswered = false
        requests.answer(request) { _ in isAnswered = true }
        for _ in 0..<5 { try loop.runOnce(timeout: .milliseconds(20)) }
        #expect(!isAnswered)
        withExtendedLifetime(other) {}
        other = nil
        try loop.pump("it is answered") { isAnswered }
    }
}
