import BundleStore
import LinuxSystem
import SeededRandom
import StoreSimulation
import TestSupport
import Testing

@testable import ModelCache

@Suite("Model cache", .timeLimit(.minutes(1)))
struct ModelCacheTests {
    private typealias Model = CacheFixture.Model

    private let directory: TemporaryDirectory
    private let cache: ModelCache

    init() throws {
        directory = try TemporaryDirectory()
        cache = try ModelCache(try StoreFolder("\(directory.path)/models"), budget: CacheFixture.budget)
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ModelCacheError)?.code.rawValue ?? "\(error)"
        }
    }

    @Test func `what came has its name once it is what it should be, and can be read by all and written by nobody`()
        throws
    {
        let model = try Model(1)
        try CacheFixture.fetch(model, into: cache)
        let place = cache.place(of: model.sha256)
        #expect(try SystemCall.readFile(place, limit: 1000) == model.content)
        #expect(try SystemCall.status(of: place).mode == 0o444)
        #expect(try cache.models().map(\.length) == [300])
        #expect(try SystemCall.names(inDirectory: "\(directory.path)/models/partial").isEmpty)
    }

    @Test(arguments: [0, 1, 299, 301])
    func `what came and is not what it should be goes`(length: Int) throws {
        let model = try Model(1)
        var content = Array((model.content + [0]).prefix(length))
        if length == 1 { content = model.content.map { $0 ^ 1 } }
        try CacheFixture.write(content, as: model, to: cache.files)
        #expect(code { try cache.adopt(model.sha256, length: 300, priority: 0) } == "damaged")
        #expect(try !cache.has(model.sha256))
        #expect(try SystemCall.names(inDirectory: "\(directory.path)/models/partial").isEmpty)
    }

    @Test func `the budget is kept: those that were not used for longest go first, and those in use never`() throws {
        let models = try (1...5).map { try Model($0) }
        for model in models[0..<3] { try CacheFixture.fetch(model, into: cache) }
        try cache.use(models[0].sha256)
        try CacheFixture.fetch(models[3], into: cache)
        #expect(try !cache.has(models[1].sha256), "it was used the longest ago")
        #expect(try cache.has(models[0].sha256) && cache.has(models[2].sha256))
        try cache.stage("ears", "speech", models[2].sha256)
        try cache.use(models[0].sha256) { $0.isPinned = true }
        try CacheFixture.fetch(models[4], into: cache)
        #expect(try !cache.has(models[3].sha256))
        #expect(try cache.has(models[0].sha256) && cache.has(models[2].sha256))
        #expect(try cache.usedSize() <= CacheFixture.budget)
        // Nothing that may go is enough: everything stays.
        try cache.use(models[4].sha256) { $0.priority = 3 }
        #expect(code { try CacheFixture.fetch(models[1], into: cache, priority: 2) } == "no-space")
        #expect(try cache.models().count == 3)
        try CacheFixture.fetch(models[1], into: cache, priority: 3)
        #expect(try !cache.has(models[4].sha256))
        #expect(code { try cache.makeRoom(for: models[3].sha256, length: 5000, priority: 9) } == "no-space")
    }

    @Test func `what was begun of others goes before any model, and what is there of this one counts`() throws {
        let models = try (1...4).map { try Model($0) }
        for model in models[0..<2] { try CacheFixture.fetch(model, into: cache) }
        try CacheFixture.write([UInt8](repeating: 0, count: 200), as: models[2], to: cache.files)
        try CacheFixture.write([UInt8](repeating: 0, count: 250), as: models[3], to: cache.files)
        try cache.makeRoom(for: models[3].sha256, length: 300, priority: 0)
        #expect(try cache.models().count == 2)
        #expect(try SystemCall.names(inDirectory: "\(directory.path)/models/partial") == [models[3].sha256])
    }

    @Test func `a worker serves what was committed, and goes back`() throws {
        let (old, new) = (try Model(1), try Model(2))
        for model in [old, new] { try CacheFixture.fetch(model, into: cache) }
        #expect(code { try cache.commit("ears", "speech") } == "not-staged")
        try cache.stage("ears", "speech", old.sha256)
        #expect(try cache.serving("ears", "speech") == nil)
        try cache.commit("ears", "speech")
        let link = "\(directory.path)/models/serving/ears/speech"
        #expect(try SystemCall.readFile(link, limit: 1000) == old.content)
        try cache.stage("ears", "speech", new.sha256)
        #expect(try cache.models().map(\.users) == [["ears/speech"], ["ears/speech"]])
        try cache.discard("ears", "speech")
        #expect(try SystemCall.readFile(link, limit: 1000) == old.content)
        try cache.stage("ears", "speech", new.sha256)
        try cache.commit("ears", "speech")
        #expect(try SystemCall.readFile(link, limit: 1000) == new.content)
        try cache.release("ears", "speech")
        try cache.release("ears", "speech")
        #expect(try cache.serving("ears", "speech") == nil)
    }

    @Test func `a model that the disk has damaged is not staged`() throws {
        let disk = SimulatedStore(random: SeededGenerator(seed: 1))
        let cache = try ModelCache(disk, budget: CacheFixture.budget)
        let model = try Model(1)
        try CacheFixture.fetch(model, into: cache)
        disk.damage("objects/\(model.sha256)")
        #expect(code { try cache.stage("ears", "speech", model.sha256) } == "damaged")
        #expect(try !cache.has(model.sha256), "nobody serves it: it is fetched anew")
        #expect(code { try cache.stage("ears", "speech", model.sha256) } == "missing")
        try CacheFixture.fetch(model, into: cache)
        try cache.stage("ears", "speech", model.sha256)
        try cache.commit("ears", "speech")
        disk.damage("objects/\(model.sha256)")
        #expect(code { try cache.stage("ears", "speech", model.sha256) } == "damaged")
        #expect(try cache.has(model.sha256), "a worker serves it")
    }

    @Test(arguments: ["", ".", "..", "a/b", "a b", "ä", String(repeating: "x", count: 65)])
    func `names that are none are refused`(name: String) throws {
        let model = try Model(1)
        try CacheFixture.fetch(model, into: cache)
        #expect(code { try cache.stage(name, "m", model.sha256) } == "invalid")
        #expect(code { try cache.stage("w", name, model.sha256) } == "invalid")
        #expect(code { try cache.release(name, "m") } == "invalid")
        #expect(code { _ = try cache.has("../" + model.sha256) } == "invalid")
        #expect(code { try cache.makeRoom(for: name, length: 1, priority: 0) } == "invalid")
    }

    @Test func `a note that cannot be read is none`() throws {
        let model = try Model(1)
        try CacheFixture.fetch(model, into: cache)
        for text in ["", "{", "[]", "{\"priority\": \"x\"}", String(repeating: " ", count: 100_000)] {
            try directory.write("models/notes/\(model.sha256)", text)
            #expect(try cache.models().map(\.note) == [ModelNote()])
        }
        try cache.use(model.sha256) { $0.isPinned = true }
        #expect(try cache.models().map(\.note.isPinned) == [true])
    }
}

@Suite struct EvictionPlanTests {
    private typealias Candidate = EvictionPlan.Candidate

    @Test func `lower priorities first, then what was not used for longest; never more than is needed`() {
        let candidates = [
            Candidate("a", size: 10, priority: 1, turn: 1, isHeld: false),
            Candidate("b", size: 10, priority: 0, turn: 9, isHeld: false),
            Candidate("c", size: 10, priority: 0, turn: 2, isHeld: false),
            Candidate("d", size: 100, priority: 0, turn: 1, isHeld: true),
            Candidate("e", size: 100, priority: 5, turn: 1, isHeld: false),
        ]
        #expect(EvictionPlan(candidates, missing: 0, for: 9)?.evicted == [])
        #expect(EvictionPlan(candidates, missing: 1, for: 1)?.evicted == ["c"])
        #expect(EvictionPlan(candidates, missing: 11, for: 1)?.evicted == ["c", "b"])
        #expect(EvictionPlan(candidates, missing: 21, for: 1)?.evicted == ["c", "b", "a"])
        #expect(EvictionPlan(candidates, missing: 31, for: 1) == nil)
        #expect(EvictionPlan(candidates, missing: 31, for: 5)?.evicted == ["c", "b", "a", "e"])
        #expect(EvictionPlan(candidates, missing: 11, for: -1) == nil)
    }
}
