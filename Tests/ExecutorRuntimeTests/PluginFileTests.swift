import ExecutorProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import ExecutorRuntime

@Suite(.timeLimit(.minutes(1))) struct PluginFileTests {
    private let folder: TemporaryDirectory

    /// Of "plugin".
    private static let digest = "fc84bdf93ad4789de01ab0d5c4c8ea9aea36b7b01ddd0ae09f6f3bf8dcb1b3ad"

    init() throws { folder = try TemporaryDirectory() }

    private func order(_ file: String, sha256: String, owner: UInt32? = nil) -> ExecutorOrder {
        ExecutorOrder(
            role: .command, plugin: "p", file: file, sha256: sha256, owner: owner ?? SystemCall.effectiveUserID(),
            timeLimit: .seconds(1))
    }

    private func refusal(_ order: ExecutorOrder) -> String? {
        do throws(PluginFile.Refusal) {
            _ = try PluginFile(order)
            return nil
        } catch {
            return error.message
        }
    }

    /// What the file really has, from the refusal of another one.
    private func digest(of file: String) -> String {
        let words = refusal(order(file, sha256: Self.digest))?.split(separator: " ") ?? []
        return words.firstIndex(of: "SHA-256").map { String(words[$0 + 1].dropLast()) } ?? ""
    }

    @Test("the granted file is copied, and the copy cannot be changed") func granted() throws {
        let path = try folder.write("p.so", "plugin")
        let file = try PluginFile(order(path, sha256: digest(of: path)))
        let number = try #require(file.library.rawValue)
        #expect(throws: SystemError.self) { try SystemCall.write(number, Array("x".utf8)) }
        #expect(throws: SystemError.self) { try SystemCall.truncate(number, to: 0) }
        // Whoever changes the file later changes nothing.
        _ = try folder.write("p.so", "another")
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = try buffer.withUnsafeMutableBytes { try SystemCall.read(number, into: $0, at: 0) }
        #expect(String(decoding: buffer[..<count], as: UTF8.self) == "plugin")
    }

    @Test("another file than the granted one is refused, and both digests are told") func changed() throws {
        let path = try folder.write("p.so", "plugin")
        let granted = digest(of: path)
        _ = try folder.write("p.so", "plugim")
        let words = try #require(refusal(order(path, sha256: granted)))
        #expect(words.contains("has the SHA-256") && words.hasSuffix("\(granted) is granted"))
    }

    @Test("a file that others can write is refused", arguments: [UInt32(0o664), 0o646, 0o777])
    func writable(mode: UInt32) throws {
        let path = try folder.write("p.so", "plugin")
        try SystemCall.changeMode(of: path, to: mode)
        #expect(refusal(order(path, sha256: Self.digest))?.contains("can be written by others") == true)
    }

    @Test("a file in a folder that others can write is refused") func writableFolder() throws {
        let path = try folder.write("p.so", "plugin")
        try SystemCall.changeMode(of: folder.path, to: 0o775)
        #expect(refusal(order(path, sha256: Self.digest))?.contains("\(folder.path) can be written") == true)
    }

    @Test("a file of somebody else's is refused") func stranger() throws {
        let path = try folder.write("p.so", "plugin")
        guard SystemCall.effectiveUserID() == 0 else {
            // Everything here belongs to us; whoever runs the runtime is somebody else.
            #expect(refusal(order(path, sha256: Self.digest, owner: 1))?.contains("belongs to the user") == true)
            return
        }
        try SystemCall.changeOwner(of: path, uid: 65534, gid: nil)
        #expect(refusal(order(path, sha256: Self.digest))?.contains("belongs to the user 65534") == true)
    }

    @Test("what is no regular file is refused, and not waited for") func otherKinds() throws {
        let fifo = "\(folder.path)/fifo.so"
        try SystemCall.makeFIFO(fifo)
        #expect(refusal(order(fifo, sha256: Self.digest))?.contains("no regular file") == true)
        #expect(refusal(order(folder.path, sha256: Self.digest)) != nil)
        #expect(refusal(order("\(folder.path)/none.so", sha256: Self.digest))?.hasPrefix("there is no") == true)
        #expect(refusal(order("\(folder.path)/none/none.so", sha256: Self.digest))?.hasPrefix("there is no") == true)
    }
}
