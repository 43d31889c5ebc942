import LinuxSystem
import SeededRandom
import StoreSimulation
import Testing
import Trust

@testable import ModelCache

/// A life of a cache that is interrupted at every call in turn: a worker serves one model, another one comes in its place, and a
/// third is evicted for it.
@Suite(.timeLimit(.minutes(1))) struct CacheInterruptionTests {
    private typealias Model = CacheFixture.Model

    private let old: Model
    private let new: Model
    private let idle: Model

    init() throws { (old, new, idle) = (try Model(1), try Model(2, 500), try Model(3)) }

    private func open(_ disk: SimulatedStore) throws -> ModelCache {
        try ModelCache(disk, budget: CacheFixture.budget)
    }

    private func prepared(_ seed: UInt64) throws -> SimulatedStore {
        let disk = SimulatedStore(random: SeededGenerator(seed: seed))
        let cache = try open(disk)
        try CacheFixture.fetch(old, into: cache)
        try cache.stage("ears", "speech", old.sha256)
        try cache.commit("ears", "speech")
        try CacheFixture.fetch(idle, into: cache)
        try disk.syncAll()
        return disk
    }

    /// What is interrupted.
    private func change(_ disk: SimulatedStore) throws {
        let cache = try open(disk)
        try CacheFixture.fetch(new, into: cache)
        try cache.stage("ears", "speech", new.sha256)
        try cache.use(new.sha256) { $0.isPinned = true }
        try cache.commit("ears", "speech")
    }

    /// What has to be whenever the cache is opened.
    private func check(_ disk: SimulatedStore, _ what: Comment) throws {
        let cache = try open(disk)
        let serving = try #require(try cache.serving("ears", "speech"), what)
        #expect(serving == old.sha256 || serving == new.sha256, what)
        #expect(try disk.status("objects/\(serving)") != nil, what)
        for model in try cache.models() {
            var content: [UInt8] = []
            _ = try disk.read("objects/\(model.sha256)") { content += $0 }
            #expect(try SHA256Digest(of: content).hex == model.sha256, what)
        }
        #expect(try disk.names(in: "temporary").isEmpty, what)
        // Nothing stands in the way of the change being made again.
        try change(disk)
        let again = try open(disk)
        #expect(try again.serving("ears", "speech") == new.sha256, what)
        #expect(try again.staged("ears", "speech") == nil, what)
        #expect(try again.has(old.sha256) && !again.has(idle.sha256), what)
        #expect(again.note(of: new.sha256).isPinned, what)
        #expect(try again.usedSize() <= CacheFixture.budget, what)
    }

    private func countCalls() throws -> Range<Int> {
        let disk = try prepared(0)
        let before = disk.calls.count
        try change(disk)
        return before + 1..<disk.calls.count + 1
    }

    @Test func `whichever call the process is killed at, the worker has a whole model, and the next try succeeds`()
        throws
    {
        let calls = try countCalls()
        #expect(calls.count > 30)
        for call in calls {
            for isDone in [false, true] {
                let disk = try prepared(UInt64(call))
                disk.failures[call] = .stop(isDone: isDone)
                #expect(throws: ModelCacheError.self) { try change(disk) }
                disk.restartProcess()
                try check(disk, "killed at call \(call), \(disk.calls[call - 1])")
            }
        }
    }

    @Test func `whichever call the power goes at, the worker has a whole model, and the next try succeeds`() throws {
        for call in try countCalls() {
            for seed in 0..<6 {
                let disk = try prepared(UInt64(call * 100 + seed))
                disk.failures[call] = .stop(isDone: seed % 2 == 0)
                #expect(throws: ModelCacheError.self) { try change(disk) }
                disk.cutPower()
                try check(disk, "power cut at call \(call), \(disk.calls[call - 1]), seed \(seed)")
            }
        }
    }

    @Test(arguments: [28, 5, 30] as [Int32])
    func `whichever call fails, the worker has a whole model, and the next try succeeds`(_ errno: Int32) throws {
        for call in try countCalls() {
            let disk = try prepared(UInt64(call))
            disk.failures[call] = .error(errno)
            let error = #expect(throws: ModelCacheError.self) { try change(disk) }
            #expect(error?.code == (errno == 28 ? .noSpace : .system), "call \(call)")
            disk.restartProcess()
            try check(disk, "errno \(errno) at call \(call)")
        }
    }

    @Test func `a disk that is full for good leaves what is served, and takes another once there is room`() throws {
        let disk = try prepared(1)
        disk.freeBytes = 1000
        let error = #expect(throws: ModelCacheError.self) { try change(disk) }
        #expect(error?.code == .noSpace)
        let cache = try open(disk)
        #expect(try cache.serving("ears", "speech") == old.sha256)
        #expect(try cache.has(idle.sha256), "nothing goes in vain")
        disk.freeBytes = 1 << 30
        try check(disk, "after a full disk")
    }
}
