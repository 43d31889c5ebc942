import ControlProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import BundleFormat

@Suite(.timeLimit(.minutes(1))) struct PackingTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try SystemCall.makeDirectory("\(folder.path)/app")
        try folder.write("app/manifest.json", #"{"format":1,"name":"vision","version":"1.0.0","release":1}"#)
        try folder.write("app/tool", "#!/bin/sh\n", permissions: 0o755)
        try folder.write("app/data/\(String(repeating: "long", count: 50)).txt", "text", permissions: 0o600)
        try folder.write("app/data/empty", "")
        try folder.write("app/data/large", [UInt8](repeating: 7, count: 3_000_000))
    }

    private func pack(_ name: String, _ compression: BundleCompression) throws -> [UInt8] {
        let file = try SystemCall.open("\(folder.path)/\(name)", [.readWrite, .create, .truncate])
        try BundlePacker(folder: "\(folder.path)/app").write(to: file.rawValue, compression)
        return try SystemCall.readFile("\(folder.path)/\(name)", limit: 1 << 24)
    }

    @Test(arguments: BundleCompression.allCases)
    func `what is packed can be read, and packing again gives the same bytes`(_ compression: BundleCompression) throws {
        let bytes = try pack("one", compression)
        let manifest = try BundlePacker(folder: "\(folder.path)/app").manifest
        #expect(manifest.files.map(\.path).last == "tool" && manifest.files.count == 4)
        #expect(manifest.files.last?.isExecutable == true && manifest.files.first?.isExecutable == false)
        let file = try SystemCall.open("\(folder.path)/one", .readOnly)
        let archive = try BundleArchive(file.rawValue, expecting: nil)
        #expect(archive.manifest == manifest)
        var count = 0
        while try archive.next() != nil { count += 1 }
        #expect(count == 4)
        // Other times and another owner of the files are no difference.
        let touched = try SystemCall.readFile("\(folder.path)/app/tool", limit: 100)
        try SystemCall.removeFile("\(folder.path)/app/tool")
        try folder.write("app/tool", touched, permissions: 0o755)
        #expect(try pack("two", compression) == bytes)
    }

    @Test func `what cannot be in a bundle is not packed`() throws {
        try SystemCall.makeFIFO("\(folder.path)/app/pipe")
        let error = #expect(throws: BundleError.self) { try BundlePacker(folder: "\(folder.path)/app") }
        #expect(error?.code == .unpackable)
        #expect(throws: BundleError.self) { try BundlePacker(folder: "\(folder.path)/nowhere") }
    }
}
