import ControlProtocol
import Testing
import Trust

@testable import BundleFormat

struct ManifestTests {
    private func problems(_ change: (inout JSONObject) -> Void) throws -> [String] {
        do {
            _ = try BundleManifest(parsing: JSONValue.object(try BundleFixture.manifest(change)).serialised())
            return []
        } catch let error as BundleError {
            #expect(error.code == .manifestInvalid)
            return error.problems
        }
    }

    private static let file: JSONObject = [
        "path": "a", "size": 1, "mode": "0644",
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ]

    private static func files(_ paths: [String]) -> JSONValue {
        .array(
            paths.map { path in
                var entry = file
                entry["path"] = .string(path)
                return .object(entry)
            })
    }

    private static func withFile(_ key: String, _ value: JSONValue?) -> JSONValue {
        var entry = file
        entry[key] = value
        return [.object(entry)]
    }

    @Test func `a manifest says what the bundle is`() throws {
        let json = try BundleFixture.manifest {
            $0["requires"] = ["hardware": ["rpi5"], "architecture": ["aarch64"], "runtime": "0.2.0"]
            $0["workers"] = [
                [
                    "name": "camera", "command": ["{bundle}/bin/tool", "--fast"], "watchdog": "10s",
                    "environment": ["HOME": "{bundle}/data"], "probe": [["type": "tcp", "port": 8080]],
                ]
            ]
            $0["supervisors"] = [["name": "eyes", "strategy": "rest-for-one"]]
            $0["models"] = [["name": "vad", "path": "data/hello.txt", "worker": "camera"]]
            $0["health"] = [
                "ready": "20s", "probation": "2m", "probes": ["camera"],
                "self_test": ["command": ["{bundle}/bin/tool"], "timeout": "5s"],
            ]
            $0["data"] = ["format": 3, "reversible": false]
        }
        let manifest = try BundleManifest(parsing: JSONValue.object(json).serialised())
        #expect(manifest.name == "vision" && manifest.kind == .application && manifest.release == 1)
        #expect(manifest.files.count == 2 && manifest.links.count == 1 && manifest.contentSize == 23)
        #expect(manifest.identifier == "1.0.0@\(manifest.digest.hex.prefix(16))")
        #expect(manifest.health.probation == .seconds(120) && manifest.health.selfTest?.timeout == .seconds(5))
        #expect(manifest.data == DataFormat(format: 3, isReversible: false))
        #expect(
            BundleTree(manifest).configuration(folder: "/here") == """
                [[supervisor]]
                name = "vision"

                [[supervisor]]
                name = "eyes"
                strategy = "rest-for-one"
                parent = "vision"

                [[worker]]
                name = "camera"
                command = ["/here/bin/tool", "--fast"]
                watchdog = "10s"
                environment = { HOME = "/here/data" }
                probe = [{ type = "tcp", port = 8080 }]
                supervisor = "vision"


                """)
        let version = try #require(RuntimeVersion("0.2.0"))
        let older = try #require(RuntimeVersion("0.1.9-rc1"))
        let needs = manifest.requirements
        #expect(needs.mismatches(hardware: "rpi5", architecture: "aarch64", runtime: version).isEmpty)
        #expect(needs.mismatches(hardware: nil, architecture: "x86_64", runtime: older).count == 3)
    }

    private static let mistakes: [(@Sendable (inout JSONObject) -> Void, String)] = [
        ({ $0["format"] = 2 }, "format: is 2"), ({ $0["release"] = 0 }, "release: is 0"),
        ({ $0["release"] = 1.5 }, "release: is a number"), ({ $0["name"] = "a/b" }, "name: is \"a/b\""),
        ({ $0["name"] = "objects" }, "name: is"), ({ $0["name"] = "holdfast-x" }, "name: is"),
        ({ $0["version"] = "1.0@2" }, "version: is"), ({ $0["version"] = "../x" }, "version: is"),
        ({ $0["version"] = nil }, "version: is missing"), ({ $0["kind"] = "firmware" }, "kind: is"),
        ({ $0["color"] = 1 }, "color: is not known here"),
        ({ $0["files"] = files(["../a"]) }, "files[0].path: is"),
        ({ $0["files"] = files(["/a"]) }, "files[0].path: is"),
        ({ $0["files"] = files(["a/./b"]) }, "files[0].path: is"),
        ({ $0["files"] = files(["manifest.json"]) }, "files[0].path: the manifest does not list itself"),
        ({ $0["files"] = files(["a", "a"]) }, "files[1].path: a stands there twice"),
        ({ $0["files"] = files(["a", "A"]) }, "files[1].path: A differs from a only in upper and lower case"),
        ({ $0["files"] = files(["a/x", "A/y"]) }, "files[1].path: A differs from a"),
        ({ $0["files"] = files(["a", "a/b"]) }, "files[1].path: a is also a folder"),
        ({ $0["files"] = files(["a/b", "a"]) }, "files[1].path: a is also a folder"),
        ({ $0["files"] = withFile("mode", "4755") }, "files[0].mode: is"),
        ({ $0["files"] = withFile("mode", "0777") }, "files[0].mode: is"),
        ({ $0["files"] = withFile("mode", 420) }, "files[0].mode: is a whole number"),
        ({ $0["files"] = withFile("size", -1) }, "files[0].size: is -1"),
        ({ $0["files"] = withFile("size", .int(1 << 40)) }, "files[0].size: is"),
        ({ $0["files"] = withFile("sha256", nil) }, "files[0].sha256: is missing"),
        ({ $0["files"] = withFile("owner", "root") }, "files[0].owner: is not known here"),
        ({ $0["links"] = [["path": "l", "target": "/etc/passwd"]] }, "links[0].target: is"),
        ({ $0["links"] = [["path": "l", "target": "../x"]] }, "links[0].target: is"),
        ({ $0["links"] = [["path": "l", "target": "bin/../../x"]] }, "links[0].target: is"),
        ({ $0["links"] = [["path": "l", "target": "bin"]] }, "links[0].target: leads to bin"),
        ({ $0["links"] = [["path": "bin/tool/l", "target": "../tool"]] }, "bin/tool is also a folder"),
        (
            {
                $0["links"] = [["path": "l", "target": "bin/tool"], ["path": "l/x", "target": "../bin/tool"]]
            }, "links[1].path: l is also a folder"
        ),
        ({ $0["workers"] = [["name": "a"]] }, "command"),
        ({ $0["workers"] = ["camera"] }, "workers[0]: is text"),
        ({ $0["supervisors"] = [[]] }, "supervisors[0]: is a list"),
        ({ $0["workers"] = ["name": "a"] }, "workers: is an object"),
        ({ $0["workers"] = [["name": "a", "command": ["/x"], "watchdgo": "1s"]] }, "watchdgo"),
        ({ $0["workers"] = [["name": "a", "command": ["/x"], "supervisor": "root"]] }, "workers[0].supervisor"),
        ({ $0["workers"] = [["name": "a", "command": ["/x"], "user": nil]] }, "workers[0]: has a null"),
        ({ $0["workers"] = [["name": "vision", "command": ["/x"]]] }, "vision"),
        ({ $0["supervisors"] = [["name": "vision", "parent": "root"]] }, "supervisors[0].parent"),
        ({ $0["models"] = [["name": "m", "path": "no"]] }, "models[0].path: is no file"),
        ({ $0["health"] = ["ready": "soon"] }, "health.ready: is"),
        ({ $0["health"] = ["probes": ["camera"]] }, "health.probes[0]"),
        ({ $0["health"] = ["self_test": ["command": []]] }, "health.self_test.command: names no program"),
        ({ $0["requires"] = ["runtime": "1"] }, "requires.runtime: is"),
        ({ $0["data"] = ["reversible": "yes"] }, "data.reversible: is text"),
        ({ $0["kind"] = "runtime" }, "files: a runtime bundle has the executable bin/holdfastd"),
    ]

    @Test(arguments: mistakes.indices)
    func `a mistake is named by its place`(_ index: Int) throws {
        let (change, text) = Self.mistakes[index]
        let found = try problems(change)
        #expect(found.contains { $0.contains(text) }, "\(found)")
    }

    @Test func `every mistake is said at once, up to a limit`() throws {
        let found = try problems {
            $0["name"] = "a/b"
            $0["version"] = nil
            $0["data"] = ["format": -1]
        }
        #expect(found.count == 3)
        let many = try problems { $0["files"] = Self.files(Array(repeating: "../x", count: 1000)) }
        #expect(many.count == 51 && many.last == "and more")
    }

    @Test(arguments: [
        #"{"format":1,"format":1}"#, "", "[]", #"{"files":"#, String(repeating: "[", count: 50_000),
        #"{"release":99999999999999999999999}"#,
    ])
    func `what is no such JSON is no manifest`(_ text: String) {
        let error = #expect(throws: BundleError.self) { try BundleManifest(parsing: Array(text.utf8)) }
        #expect(error?.code == .manifestInvalid && error?.problems.isEmpty == false)
    }
}
