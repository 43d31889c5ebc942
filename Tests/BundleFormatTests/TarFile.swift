import BundleFormat
import ControlProtocol
import LinuxSystem
import TestSupport
import Trust

/// An archive made by hand, whatever it should not have.
struct TarFile {
    struct Entry {
        var path: String
        var content: [UInt8] = []
        /// The type flag of ustar: "0" a file, "1" a hard link, "2" a symbolic link, "3" a device, "5" a folder, "6" a FIFO.
        var type: Unicode.Scalar = "0"
        var mode = 0o644
        /// When another size is claimed than the content has.
        var size: Int?
        var target = ""
    }

    var entries: [Entry]

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            bytes += header(entry) + entry.content
            bytes += [UInt8](repeating: 0, count: (512 - entry.content.count % 512) % 512)
        }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    private func header(_ entry: Entry) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(entry.path, at: 0)
        put(octal(entry.mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(entry.size ?? entry.content.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        block[156] = UInt8(ascii: entry.type)
        put(entry.target, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6), at: 148)
        block[154] = 0
        return block
    }
}

/// zstd (RFC 8878) without compression.
enum ZstandardFrame {
    private static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    /// - Parameter window: the descriptor; 0x38 asks for 128 KiB, 0x68 for 8 MiB, 0x70 for 16 MiB.
    static func raw(_ bytes: [UInt8], window: UInt8 = 0x38) -> [UInt8] {
        var frame = magic + [0, window]
        for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
            let part = bytes[start..<min(start + 1 << 16, bytes.count)]
            frame += header(part.count, type: 0, isLast: false) + part
        }
        return frame + header(0, type: 0, isLast: true)
    }

    static func header(_ size: Int, type: Int, isLast: Bool) -> [UInt8] {
        let value = size << 3 | type << 1 | (isLast ? 1 : 0)
        return [UInt8(value & 255), UInt8(value >> 8 & 255), UInt8(value >> 16 & 255)]
    }
}

/// A bundle of two files and a link, as it should be, and changes to it.
struct BundleFixture {
    let folder: TemporaryDirectory
    static let hello = Array("hello\n".utf8)
    static let tool = Array("#!/bin/sh\nexit 0\n".utf8)

    init() throws { folder = try TemporaryDirectory() }

    static func manifest(_ change: (inout JSONObject) -> Void = { _ in }) throws -> JSONObject {
        var manifest: JSONObject = [
            "format": 1, "name": "vision", "version": "1.0.0", "release": 1,
            "files": [
                BundleFixture.file("bin/tool", tool, "0755"), BundleFixture.file("data/hello.txt", hello, "0644"),
            ],
            "links": [["path": "data/link", "target": "../bin/tool"]],
        ]
        change(&manifest)
        return manifest
    }

    private static func file(_ path: String, _ content: [UInt8], _ mode: String) -> JSONValue {
        let hash = (try? SHA256Digest(of: content).hex) ?? ""
        return ["path": .string(path), "size": content.count.json, "mode": .string(mode), "sha256": .string(hash)]
    }

    static func entries(_ manifest: JSONObject? = nil) throws -> [TarFile.Entry] {
        [
            TarFile.Entry(
                path: "manifest.json", content: JSONValue.object(try manifest ?? self.manifest()).serialised()),
            TarFile.Entry(path: "bin/tool", content: tool, mode: 0o755),
            TarFile.Entry(path: "data/hello.txt", content: hello),
            TarFile.Entry(path: "data/link", type: "2", mode: 0o777, target: "../bin/tool"),
        ]
    }

    /// Reads an archive to its end.
    /// - Returns: the code that it is refused with.
    @discardableResult
    func refusal(_ bytes: [UInt8], expecting expected: SHA256Digest? = nil) throws -> String? {
        let path = try folder.write("archive", bytes)
        let file = try SystemCall.open(path, .readOnly)
        do throws(BundleError) {
            let archive = try BundleArchive(file.rawValue, expecting: expected)
            while try archive.next() != nil {}
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    func refusal(of entries: [TarFile.Entry]) throws -> String? {
        try refusal(ZstandardFrame.raw(TarFile(entries: entries).bytes))
    }
}
