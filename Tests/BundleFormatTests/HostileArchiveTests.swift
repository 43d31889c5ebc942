import ControlProtocol
import LinuxSystem
import Testing
import Trust

@testable import BundleFormat

@Suite(.timeLimit(.minutes(1))) struct HostileArchiveTests {
    private let fixture: BundleFixture

    init() throws { fixture = try BundleFixture() }

    @Test func `an archive as it should be is taken, and what stands behind it is hashed`() throws {
        let bytes = ZstandardFrame.raw(TarFile(entries: try BundleFixture.entries()).bytes)
        #expect(try fixture.refusal(bytes) == nil)
        #expect(try fixture.refusal(bytes, expecting: SHA256Digest(of: bytes)) == nil)
        // A skippable frame that says nothing.
        let longer = bytes + [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7]
        #expect(try fixture.refusal(longer) == nil)
        #expect(try fixture.refusal(longer, expecting: SHA256Digest(of: bytes)) == "wrong-archive")
    }

    private static let additions: [(TarFile.Entry, String)] = [
        (.init(path: "../outside"), "unsafe-path"), (.init(path: "a/../../b"), "unsafe-path"),
        (.init(path: "/etc/passwd"), "unsafe-path"), (.init(path: "./bin/tool2"), "unsafe-path"),
        (.init(path: "bin//tool"), "unsafe-path"), (.init(path: "bin\\tool"), "unsafe-path"),
        (.init(path: "bin/\u{1b}[2J"), "unsafe-path"), (.init(path: "bin/ä"), "unsafe-path"),
        (.init(path: "other"), "undeclared-entry"),
        (.init(path: "escape", type: "2", target: "/tmp"), "undeclared-entry"),
        (.init(path: "bin/tool"), "duplicate-entry"), (.init(path: "BIN/tool"), "undeclared-entry"),
        (.init(path: "bin/hard", type: "1", target: "bin/tool"), "hard-link"),
        (.init(path: "bin/hard", type: "1", target: "/etc/passwd"), "hard-link"),
        (.init(path: "device", type: "3"), "special-file"), (.init(path: "block", type: "4"), "special-file"),
        (.init(path: "pipe", type: "6"), "special-file"), (.init(path: "folder", type: "5"), "special-file"),
    ]

    @Test(arguments: additions.indices)
    func `one entry too many is refused for what it is`(_ index: Int) throws {
        let (entry, code) = Self.additions[index]
        let good = try BundleFixture.entries()
        #expect(try fixture.refusal(of: good + [entry]) == code)
        if code != "duplicate-entry" { #expect(try fixture.refusal(of: [good[0], entry] + good[1...]) == code) }
    }

    private static let changes: [(@Sendable (inout [TarFile.Entry]) -> Void, String)] = [
        ({ $0.removeLast() }, "missing-entry"), ({ $0.remove(at: 1) }, "missing-entry"),
        ({ $0[1].mode = 0o4755 }, "special-mode"), ({ $0[1].mode = 0o2755 }, "special-mode"),
        ({ $0[1].mode = 0o1755 }, "special-mode"), ({ $0[2].mode = 0o755 }, "wrong-mode"),
        ({ $0[2].mode = 0o666 }, "wrong-mode"), ({ $0[2].content = Array("hallo\n".utf8) }, "wrong-hash"),
        ({ $0[2].content.append(10) }, "wrong-size"), ({ $0[2].content.removeLast() }, "wrong-size"),
        ({ $0[2].size = 1 << 30 }, "wrong-size"), ({ $0[3].target = "/etc/passwd" }, "wrong-link"),
        ({ $0[3].target = "hello.txt" }, "wrong-link"),
        ({ $0[3] = .init(path: "data/link", content: [1]) }, "wrong-link"),
        ({ $0[2] = .init(path: "data/hello.txt", type: "2", target: "../bin/tool") }, "wrong-link"),
        ({ $0.swapAt(0, 1) }, "manifest-missing"), ({ $0[0].path = "Manifest.json" }, "manifest-missing"),
        ({ $0 = [] }, "manifest-missing"), ({ $0[0].size = 9 << 20 }, "too-large"),
        ({ $0[0].content = Array("{".utf8) }, "manifest-invalid"),
    ]

    @Test(arguments: changes.indices)
    func `an archive that differs from its manifest is refused for where it differs`(_ index: Int) throws {
        let (change, code) = Self.changes[index]
        var entries = try BundleFixture.entries()
        change(&entries)
        #expect(try fixture.refusal(of: entries) == code)
    }

    @Test func `an archive that ends anywhere is refused, and one with a flipped bit never passes for the signed one`()
        throws
    {
        let bytes = ZstandardFrame.raw(TarFile(entries: try BundleFixture.entries()).bytes)
        let digest = try SHA256Digest(of: bytes)
        // What stands behind the last entry is only padding.
        let content = bytes.count - 1024 - 3
        for count in stride(from: 0, to: content, by: 61) {
            let code = try #require(try fixture.refusal(Array(bytes[..<count])))
            #expect(["damaged", "not-a-bundle", "manifest-missing", "missing-entry"].contains(code), "\(count) bytes")
        }
        for place in stride(from: 0, to: bytes.count, by: 97) {
            var flipped = bytes
            flipped[place] ^= 4
            #expect(try fixture.refusal(flipped, expecting: digest) != nil, "byte \(place)")
        }
    }

    @Test func `what is no archive is none`() throws {
        let tar = TarFile(entries: try BundleFixture.entries()).bytes
        #expect(try fixture.refusal([]) == "not-a-bundle")
        #expect(try fixture.refusal(tar) == "not-a-bundle")
        #expect(try fixture.refusal(Array("<html>not found</html>".utf8)) == "not-a-bundle")
        #expect(try fixture.refusal(ZstandardFrame.raw(Array("no tar".utf8))) == "damaged")
        #expect(try fixture.refusal(ZstandardFrame.raw(ZstandardFrame.raw(tar))) == "damaged")
    }

    @Test func `a frame that asks for much memory is refused before it gets any, also behind another`() throws {
        let tar = TarFile(entries: try BundleFixture.entries()).bytes
        #expect(try fixture.refusal(ZstandardFrame.raw(tar, window: 0x68)) == nil)
        #expect(try fixture.refusal(ZstandardFrame.raw(tar, window: 0x70)) == "window-too-large")
        let two = ZstandardFrame.raw(Array(tar[..<512])) + ZstandardFrame.raw(Array(tar[512...]), window: 0x88)
        #expect(try fixture.refusal(two) == "window-too-large")
    }

    @Test func `a bomb is refused at the first thing that nobody declared`() throws {
        // A thousand bytes that unpack to 256 MiB of one file that the manifest gives six bytes.
        var entries = try BundleFixture.entries()
        entries[2].size = 256 << 20
        entries[2].content = []
        entries.removeLast()
        var bomb = ZstandardFrame.raw(TarFile(entries: entries).bytes)
        bomb.removeLast(3)
        for _ in 0..<2048 { bomb += ZstandardFrame.header(1 << 17, type: 1, isLast: false) + [0] }
        bomb += ZstandardFrame.header(0, type: 0, isLast: true)
        #expect(try fixture.refusal(bomb) == "wrong-size")
        // Tiny files without end.
        let tiny = try BundleFixture.entries() + (0..<10_000).map { TarFile.Entry(path: "tiny/\($0)") }
        #expect(try fixture.refusal(of: tiny) == "undeclared-entry")
    }
}
