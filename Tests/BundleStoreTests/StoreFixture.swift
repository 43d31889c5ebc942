import BundleFormat
import BundleStore
import ControlProtocol
import LinuxSystem
import TestSupport

/// Bundles, packed once.
final class StoreFixture {
    let folder: TemporaryDirectory
    private let workers: [JSONValue]

    /// - Parameter hasWorkers: judging their settings takes most of a test's time.
    init(hasWorkers: Bool = true) throws {
        workers = hasWorkers ? [["name": "camera", "command": ["{bundle}/bin/tool"]]] : []
        folder = try TemporaryDirectory()
        // Two files in common, one that differs, and the same content under two modes.
        for number in 1...4 {
            try pack(
                "v\(number)", release: number,
                files: [
                    "bin/tool": "#!/bin/sh\n", "lib/shared": "shared", "lib/own": "version \(number)",
                    "lib/copy": "shared",
                ])
        }
    }

    var storePath: String { "\(folder.path)/store" }

    func pack(_ name: String, release: Int, files: [String: String]) throws {
        let place = "\(folder.path)/\(name)"
        try SystemCall.makeDirectory(place)
        let manifest: JSONValue = [
            "format": 1, "name": "vision", "version": .string("\(release).0"), "release": release.json,
            "workers": .array(workers),
        ]
        try folder.write("\(name)/manifest.json", manifest.serialised())
        for (path, text) in files.sorted(by: { $0.key < $1.key }) {
            try folder.write("\(name)/\(path)", text, permissions: path.hasPrefix("bin") ? 0o755 : 0o644)
        }
        try SystemCall.makeSymbolicLink("\(place)/link", target: "bin/tool")
        let file = try SystemCall.open("\(place).tar.zst", [.readWrite, .create, .truncate])
        try BundlePacker(folder: place).write(to: file.rawValue, .zstandard)
    }

    /// Runs the body with an archive.
    func withArchive<Value>(_ name: String, _ body: (BundleArchive) throws -> Value) throws -> Value {
        let file = try SystemCall.open("\(folder.path)/\(name).tar.zst", .readOnly)
        return try body(try BundleArchive(file.rawValue, expecting: nil))
    }

    @discardableResult
    func stage(_ name: String, in store: BundleStore) throws -> StagingReport {
        try withArchive(name) { try store.stage($0) }
    }

    /// Stages, switches and commits.
    @discardableResult
    func install(_ name: String, in store: BundleStore) throws -> StagingReport {
        let report = try stage(name, in: store)
        try store.activate(try store.verifyTree(report.bundle, report.identifier))
        try store.commit(report.bundle, report.identifier)
        return report
    }
}

extension BundleStore {
    /// The release of the current version, once all of it has been found right.
    func soundRelease() throws -> Int? {
        guard let current = try current(of: "vision") else { return nil }
        return try verifyTree("vision", current).manifest.release
    }
}
