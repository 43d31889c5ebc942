import ControlProtocol
import Foundation
import Testing

/// What bundles bring is part of the tree, and never keeps the runtime from starting.
@Suite(.timeLimit(.minutes(2))) struct BundleTests {
    /// Makes a version of a bundle the current one, as the store does.
    private static func install(_ bundle: String, _ text: String, version: String, in directory: URL) throws {
        let folder = directory.appending(path: "state/bundles/\(bundle)")
        let files = folder.appending(path: "versions/\(version)/files/bin")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: files.appending(path: "worker"), withDestinationURL: URL(filePath: Daemon.misbehaving))
        try text.replacing("{bundle}", with: "\(folder.path)/versions/\(version)/files").write(
            to: folder.appending(path: "versions/\(version)/tree.toml"), atomically: true, encoding: .utf8)
        try point(bundle, to: version, in: directory)
    }

    private static func point(_ bundle: String, to version: String, in directory: URL) throws {
        let folder = directory.appending(path: "state/bundles/\(bundle)")
        let next = folder.appending(path: "next").path
        try FileManager.default.createSymbolicLink(atPath: next, withDestinationPath: "versions/\(version)")
        #expect(rename(next, folder.appending(path: "current").path) == 0)
    }

    private static func tree(_ bundle: String, _ worker: String, more: String = "") -> String {
        """
        [[supervisor]]
        name = "\(bundle)"
        \(more)
        [[worker]]
        name = "\(worker)"
        supervisor = "\(bundle)"
        command = ["{bundle}/bin/worker", "steady"]

        """
    }

    private static func warnings(_ daemon: Daemon) throws -> [String] {
        try daemon.status().runtime.warnings.filter { $0.contains("is left out") }
    }

    @Test func `a bundle's workers are started; one that is wrong is left out, which is said`() throws {
        let daemon = try Daemon(ControlTests.steady) { directory in
            try Self.install("vision", Self.tree("vision", "camera"), version: "1.0@aa", in: directory)
            try Self.install("broken", "[[worker]\n", version: "1.0@aa", in: directory)
            try Self.install("clash", Self.tree("clash", "a"), version: "1.0@aa", in: directory)
        }
        try daemon.await("camera", "ready")
        try daemon.await("a", "ready")
        #expect(try daemon.worker("camera").supervisor == "vision")
        let warnings = try Self.warnings(daemon)
        #expect(warnings.count == 2)
        #expect(warnings[0].contains("broken") && warnings[0].contains("broken/current/tree.toml:1:"))
        #expect(warnings[1].contains("clash") && warnings[1].contains("is already the name"))
        try daemon.event { $0.kind == "warning" && $0.message.contains("broken") }
        #expect(daemon.diagnostics.contains("the bundle broken is left out"))

        // A reload is asked for, and so tells what is wrong.
        let pids = try daemon.pids(["a", "camera"])
        let refused = #expect(throws: VarlinkConnection.Refused.self) { try daemon.call(.reload) }
        guard case .configurationInvalid(let problems)? = refused.flatMap({ RuntimeError($0.reply) }) else {
            Issue.record("not refused as invalid: \(String(describing: refused))")
            return
        }
        #expect(problems.contains { $0.contains("/state/bundles/broken/current/tree.toml:1:") })
        #expect(try daemon.pids(["a", "camera"]) == pids)
        try Self.install("broken", Self.tree("broken", "mended"), version: "1.1@bb", in: daemon.directory)
        try Self.install("clash", Self.tree("clash", "b"), version: "1.1@bb", in: daemon.directory)
        let report = try ReloadReport(json: try daemon.call(.reload).parameters.json)
        #expect(report.added.sorted() == ["b", "mended"])
        #expect(try Self.warnings(daemon) == [])

        // The next runtime adopts a bundle's workers as any others.
        try daemon.replace()
        #expect(try daemon.pids(["a", "camera"]) == pids)
    }

    @Test func `another version replaces the workers of its bundle, within 50 ms, and nobody else's`() throws {
        let daemon = try Daemon(ControlTests.steady) { directory in
            for bundle in ["audio", "vision"] {
                for version in ["1.0@aa", "2.0@bb"] {
                    try Self.install(bundle, Self.tree(bundle, "\(bundle)-main"), version: version, in: directory)
                }
                try Self.point(bundle, to: "1.0@aa", in: directory)
            }
        }
        let names = ["a", "audio-main", "vision-main"]
        for name in names { try daemon.await(name, "ready") }
        var shortest = Double.infinity
        for round in 0..<5 {
            let pids = try daemon.pids(names)
            let last = try daemon.lastEvent()
            try Self.point("vision", to: round % 2 == 0 ? "2.0@bb" : "1.0@aa", in: daemon.directory)
            let report = try ReloadReport(json: try daemon.call(.reload).parameters.json)
            #expect(report.restarted == ["vision-main"])
            try daemon.await("vision-main", "ready") { $0.pid.map(Int32.init) != pids["vision-main"] }
            #expect(try daemon.pid("a") == pids["a"])
            #expect(try daemon.pid("audio-main") == pids["audio-main"])
            let changes = try daemon.events().filter { $0.sequence > last && $0.worker == "vision-main" }
            let stopping = try #require(changes.first { $0.message.hasSuffix("-> stopping") })
            let ready = try #require(changes.last { $0.message.hasSuffix("-> ready") })
            shortest = min(shortest, ready.monotonic - stopping.monotonic)
        }
        #expect(shortest < 0.05, "a switch took \(shortest) s")
    }
}
