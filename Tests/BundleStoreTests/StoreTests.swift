import BundleFormat
import LinuxSystem
import SeededRandom
import StoreSimulation
import TestSupport
import Testing

@testable import BundleStore

@Suite(.timeLimit(.minutes(1))) struct StoreTests {
    private let fixture: StoreFixture
    private let store: BundleStore

    init() throws {
        fixture = try StoreFixture()
        store = try BundleStore(StoreFolder(fixture.storePath))
    }

    private func identifiers() throws -> [String] { try store.versions(of: "vision").map(\.identifier) }
    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as BundleError {
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }

    @Test func `versions share what they have in common, and nobody can write to it`() throws {
        let first = try fixture.install("v1", in: store)
        #expect(first.newFiles == 3 && first.sharedFiles == 1)
        let second = try fixture.install("v2", in: store)
        #expect(second.newFiles == 1 && second.newBytes == 9 && second.sharedFiles == 3)
        let version = "\(fixture.storePath)/vision/current"
        let tool = try SystemCall.status(of: "\(version)/files/bin/tool")
        #expect(tool.mode == 0o555 && tool.links == 3)
        let own = try SystemCall.status(of: "\(version)/files/lib/own")
        #expect(own.mode == 0o444 && own.links == 2)
        #expect(try SystemCall.status(of: "\(version)/files/lib").mode == 0o755)
        #expect(try SystemCall.linkTarget("\(version)/files/link") == "bin/tool")
        let tree = String(decoding: try SystemCall.readFile("\(version)/tree.toml", limit: 4096), as: UTF8.self)
        #expect(tree.contains("vision/versions/\(second.identifier)/files/bin/tool"))
        #expect(try fixture.stage("v2", in: store).wasThere)
    }

    @Test func `what is current, and the last two good versions, are never removed`() throws {
        for name in ["v1", "v2", "v3"] { try fixture.install(name, in: store) }
        let untried = try fixture.stage("v4", in: store).identifier
        let all = try identifiers()
        #expect(all.count == 4)
        let (third, second, first) = (all[1], all[2], all[3])
        #expect(refusal { try store.remove("vision", third) } == "is-current")
        #expect(refusal { try store.remove("vision", "9.0@0000000000000000") } == "not-found")
        #expect(refusal { try store.remove("vision", untried) } == nil)
        #expect(refusal { try store.remove("vision", first) } == nil)
        #expect(refusal { try store.remove("vision", second) } == "is-needed")
        #expect(try store.collectGarbage().objects == 2)
        // Back, without anything having to be fetched.
        try store.activate(try store.verifyTree("vision", second))
        #expect(try store.current(of: "vision") == second)
        #expect(refusal { try store.remove("vision", third) } == "is-needed")
    }

    @Test func `room is made by removing what is missed least, and what is kept stays`() throws {
        for name in ["v1", "v2", "v3"] { try fixture.install(name, in: store) }
        store.settings.quota = try store.usedSize() + 5
        try fixture.install("v4", in: store)
        #expect(try store.versions(of: "vision").count >= 2)
        store.settings.quota = 1
        #expect(refusal { try fixture.pack("v5", release: 5, files: ["bin/tool": "new"]) } == nil)
        #expect(refusal { try fixture.stage("v5", in: store) } == "no-space")
        #expect(try store.versions(of: "vision").map(\.manifest.release) == [4, 3])
        #expect(try store.soundRelease() == 4)
    }

    @Test func `what goes to make room may be what the next version was to share`() throws {
        let large = String(repeating: "large", count: 1000)
        try fixture.pack("v8", release: 8, files: ["bin/tool": "new", "lib/large": large])
        try fixture.stage("v8", in: store)
        try fixture.pack("v9", release: 9, files: ["bin/tool": "newer", "lib/large": large])
        // There is room for one of them only, although all but a few bytes are there.
        store.settings.quota = 5006
        try fixture.install("v9", in: store)
        #expect(try store.versions(of: "vision").map(\.manifest.release) == [9])
        #expect(try store.soundRelease() == 9)
        #expect(try store.usedSize() == 5005)
    }

    @Test(arguments: ["lib/shared", "bin/tool", "lib/own"])
    func `silent damage shows before a switch, and staging again mends it`(_ path: String) throws {
        let disk = SimulatedStore(random: SeededGenerator(seed: 1))
        let store = try BundleStore(disk)
        try fixture.install("v1", in: store)
        let staged = try fixture.stage("v2", in: store).identifier
        disk.damage("vision/versions/\(staged)/files/\(path)")
        let error = #expect(throws: BundleError.self) { try store.verifyTree("vision", staged) }
        #expect(error?.code == .damagedVersion)
        #expect(error?.problems.contains("\(path): has another content") == true)
        try fixture.stage("v2", in: store)
        #expect(try store.verifyTree("vision", staged).manifest.release == 2)
    }

    @Test func `whatever is not as it was written is found`() throws {
        let identifier = try fixture.stage("v1", in: store).identifier
        let version = "\(fixture.storePath)/vision/versions/\(identifier)"
        let changes: [() throws -> Void] = [
            { try SystemCall.changeMode(of: "\(version)/files/lib/own", to: 0o644) },
            { try SystemCall.removeFile("\(version)/files/link") },
            { try SystemCall.removeFile("\(version)/files/lib/own") },
            { try SystemCall.makeDirectory("\(version)/files/more") },
            { try SystemCall.makeFIFO("\(version)/files/bin/pipe") },
            { try SystemCall.removeFile("\(version)/tree.toml") },
            { try SystemCall.rename("\(version)/files/lib/own", to: "\(version)/files/lib/shared") },
            { try SystemCall.rename("\(version)/tree.toml", to: "\(version)/manifest.json") },
        ]
        for (index, change) in changes.enumerated() {
            // Staging again mends what the last one has done.
            try fixture.stage("v1", in: store)
            _ = try store.verifyTree("vision", identifier)
            try change()
            #expect(refusal { _ = try store.verifyTree("vision", identifier) } == "damaged-version", "change \(index)")
        }
    }

    @Test func `a refused archive leaves nothing behind`() throws {
        let path = "\(fixture.folder.path)/v1.tar.zst"
        let bytes = try SystemCall.readFile(path, limit: 1 << 20)
        try fixture.folder.write("cut.tar.zst", Array(bytes.dropLast(40)))
        #expect(refusal { try fixture.stage("cut", in: store) } == "damaged")
        #expect(try SystemCall.names(inDirectory: "\(fixture.storePath)/staging").isEmpty)
        #expect(try store.bundles().isEmpty)
    }

    @Test func `two processes cannot have the same store`() throws {
        let error = #expect(throws: SystemError.self) { try StoreFolder(fixture.storePath) }
        #expect(error?.isLockedByAnother == true)
        try fixture.install("v1", in: store)
        #expect(try BundleStore(inspecting: StoreFolder(reading: fixture.storePath)).soundRelease() == 1)
    }

    #if DEBUG
        @Test(arguments: [
            "openat", "write", "fallocate", "fchmod", "mkdir", "link", "symlink", "rename", "syncfs", "fsync",
            "ftruncate",
            "pread", "stat", "statvfs", "unlink", "rmdir", "opendir", "readlink", "chmod",
        ])
        func `a disk that is full at any call leaves the current version and can take the next`(_ call: String) throws {
            try fixture.install("v1", in: store)
            for times in 1...3 {
                FaultInjection.during(call, errno: SystemError.noSpace, .times(times)) {
                    _ = refusal { try fixture.install("v2", in: store) }
                }
                #expect(try store.soundRelease() ?? 0 >= 1, "\(times) times")
            }
            try fixture.install("v2", in: store)
            #expect(try store.soundRelease() == 2)
        }
    #endif
}
