import BundleFormat
import BundleStore
import LinuxSystem
import SeededRandom
import StoreSimulation
import Testing

/// A life of a store that is interrupted at every call in turn: two versions are there, a third comes, and the first goes.
@Suite(.timeLimit(.minutes(1))) struct InterruptionTests {
    private let fixture: StoreFixture

    init() throws { fixture = try StoreFixture(hasWorkers: false) }

    private func prepared(_ seed: UInt64) throws -> SimulatedStore {
        let disk = SimulatedStore(random: SeededGenerator(seed: seed))
        let store = try BundleStore(disk)
        for name in ["v1", "v2"] { try fixture.install(name, in: store) }
        try disk.syncAll()
        return disk
    }

    /// What is interrupted.
    private func change(_ disk: SimulatedStore) throws {
        let store = try BundleStore(disk)
        try fixture.install("v3", in: store)
        for version in try store.versions(of: "vision") where version.manifest.release == 1 {
            try store.remove("vision", version.identifier)
        }
        try store.collectGarbage()
    }

    /// What has to be whenever the store is opened.
    private func check(_ disk: SimulatedStore, _ what: Comment) throws {
        let store = try BundleStore(disk)
        let release = try store.soundRelease()
        #expect(release == 2 || release == 3, what)
        #expect(try disk.names(in: "staging").isEmpty, what)
        // At least one version besides, that is complete, to go back to.
        let good = try store.versions(of: "vision").filter { $0.isGood && $0.manifest.release != release }
        #expect(!good.isEmpty, what)
        for version in good { _ = try store.verifyTree("vision", version.identifier) }
        // Nothing stands in the way of the change being made again.
        try change(disk)
        let again = try BundleStore(disk)
        #expect(try again.soundRelease() == 3, what)
        #expect(try again.versions(of: "vision").map(\.manifest.release) == [3, 2], what)
        // Nothing is left over: two versions share one file of three contents, executable or not.
        #expect(try again.usedSize() == 10 + 6 + 9 + 9, what)
    }

    private func countCalls() throws -> Range<Int> {
        let disk = try prepared(0)
        let before = disk.calls.count
        try change(disk)
        return before + 1..<disk.calls.count + 1
    }

    @Test func `whichever call the process is killed at, one complete version is current, and the next try succeeds`()
        throws
    {
        let calls = try countCalls()
        #expect(calls.count > 50)
        for call in calls {
            for isDone in [false, true] {
                let disk = try prepared(UInt64(call))
                disk.failures[call] = .stop(isDone: isDone)
                #expect(throws: BundleError.self) { try change(disk) }
                disk.restartProcess()
                try check(disk, "killed at call \(call)")
            }
        }
    }

    @Test func `whichever call the power goes at, one complete version is current, and the next try succeeds`() throws {
        for call in try countCalls() {
            for seed in 0..<4 {
                let disk = try prepared(UInt64(call * 100 + seed))
                disk.failures[call] = .stop(isDone: seed % 2 == 0)
                #expect(throws: BundleError.self) { try change(disk) }
                disk.cutPower()
                try check(disk, "power cut at call \(call), seed \(seed)")
            }
        }
    }

    @Test(arguments: [28, 5, 30] as [Int32])
    func `whichever call fails, one complete version is current, and the next try succeeds`(_ errno: Int32) throws {
        for call in try countCalls() {
            let disk = try prepared(UInt64(call))
            disk.failures[call] = .error(errno)
            // What is only tidying up may fail unnoticed.
            do {
                try change(disk)
            } catch let error as BundleError {
                #expect(error.code == (errno == 28 ? .noSpace : .system), "call \(call): \(error)")
            }
            disk.restartProcess()
            try check(disk, "errno \(errno) at call \(call)")
        }
    }

    @Test func `a disk that is full for good leaves the current version, and takes another once there is room`() throws
    {
        let disk = try prepared(1)
        disk.freeBytes = 1000
        let error = #expect(throws: BundleError.self) { try change(disk) }
        #expect(error?.code == .noSpace)
        #expect(try BundleStore(disk).soundRelease() == 2)
        disk.freeBytes = 1 << 30
        disk.freeFiles = 3
        #expect(throws: BundleError.self) { try change(disk) }
        disk.freeFiles = 1000
        try check(disk, "after a full disk")
    }

    /// A deployment's state that is interrupted while it is written: the one before is there, or the new one.
    @Test func `whichever call a deployment's state is interrupted at, it is the one before or the new one`() throws {
        func save(_ disk: SimulatedStore, _ text: String) throws {
            try BundleStore(disk).saveDeployment(of: "vision", Array(text.utf8))
        }
        let counting = SimulatedStore(random: SeededGenerator(seed: 0))
        try save(counting, "before")
        let before = counting.calls.count
        try save(counting, "after")
        #expect(counting.calls.count - before > 5)
        for call in before + 1..<counting.calls.count + 1 {
            for seed in 0..<8 {
                let disk = SimulatedStore(random: SeededGenerator(seed: UInt64(seed)))
                try save(disk, "before")
                disk.failures[call] = seed < 2 ? .error(28) : .stop(isDone: seed % 2 == 0)
                #expect(throws: BundleError.self) { try save(disk, "after") }
                if seed >= 2 { disk.cutPower() } else { disk.failures = [:] }
                let found = try BundleStore(disk).deployment(of: "vision").map { String(decoding: $0, as: UTF8.self) }
                #expect(found == "before" || found == "after", "call \(call), seed \(seed): \(found ?? "nothing")")
                // Nothing stands in the way of the next.
                try save(disk, "next")
                #expect(try BundleStore(disk).deployment(of: "vision") == Array("next".utf8))
            }
        }
    }
}
