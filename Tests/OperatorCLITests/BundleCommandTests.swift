import BundleFormat
import ControlProtocol
import LinuxSystem
import TestSupport
import Testing
import Trust

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct BundleCommandTests {
    private let folder: TemporaryDirectory
    private var place: String { folder.path }

    init() throws {
        folder = try TemporaryDirectory()
        try SystemCall.makeDirectory("\(place)/app")
        try folder.write("app/bin/tool", "#!/bin/sh\n", permissions: 0o755)
        try release(1)
    }

    private func release(_ number: Int) throws {
        try folder.write(
            "app/manifest.json",
            #"""
            {"format":1,"name":"vision","version":"\#(number).0","release":\#(number),
             "workers":[{"name":"camera","command":["{bundle}/bin/tool"]}]}
            """#)
        try folder.write("app/bin/own", "\(number)")
    }

    @discardableResult
    private func run(_ arguments: String) -> (status: Int32, output: String, error: String) {
        let console = RecordedConsole()
        let status = console.run("bundle " + arguments.replacing("@", with: place))
        return (status, console.output, console.error)
    }

    /// A key for the root, two for targets, a root, and one signed bundle.
    private func prepare() {
        for key in ["root", "one", "two"] { #expect(run("keygen --no-passphrase -o @/\(key)").status == 0) }
        let root = run(
            "root --root-key @/root.pub --targets-key @/one.pub --targets-key @/two.pub --targets-threshold 2 --key @/root "
                + "-o @/root.json")
        #expect(root.status == 0 && root.output.contains("2 of 2 keys"))
        pack(1)
    }

    private func pack(_ number: Int) {
        #expect(run("pack @/app/ -o @/vision-\(number).tar.zst").status == 0)
        #expect(run("sign --key @/one --key @/two @/vision-\(number).tar.zst").status == 0)
    }

    private func code(_ arguments: String) throws -> String? {
        let result = run(arguments + " --json")
        guard result.status != 0 else { return nil }
        return try JSONValue.parse(Array(result.error.utf8))["error"]?["code"]?.stringValue
    }

    @Test func `a bundle goes from a folder into a store, and back to an older version`() throws {
        prepare()
        let installed = run("install --root @/root.json --store @/store --activate @/vision-1.tar.zst")
        #expect(installed.status == 0 && installed.output.contains("is current"), "\(installed.error)")
        for number in 2...3 {
            try release(number)
            pack(number)
            #expect(run("install --root @/root.json --store @/store --activate @/vision-\(number).tar.zst").status == 0)
        }
        let list = try JSONValue.parse(Array(run("list --store @/store --json").output.utf8)).arrayValue ?? []
        #expect(list.map { $0["release"] } == [3, 2, 1] && list.map { $0["current"] } == [true, false, false])
        #expect(run("list --store @/store").output.contains("current"))
        #expect(try code("remove --store @/store vision 3.0") == "is-current")
        #expect(try code("remove --store @/store vision 9.0") == "not-found")
        #expect(run("remove --store @/store vision 1.0").output.contains("frees 1B"))
        #expect(try code("remove --store @/store vision 2.0") == "is-needed")
        #expect(run("install --root @/root.json --store @/store --activate @/vision-2.tar.zst").status == 0)
        let current = try SystemCall.linkTarget("\(place)/store/vision/current")
        #expect(current.hasPrefix("versions/2.0@"))
        #expect(run("gc --store @/store").output == "removed 0 files, 0B\n")
    }

    @Test func `a bundle that was not signed as it is, or by too few, goes nowhere`() throws {
        prepare()
        let verify = "verify --root @/root.json @/vision-1.tar.zst"
        #expect(try code(verify) == nil)
        #expect(run("sign --key @/one @/vision-1.tar.zst").status == 0)
        #expect(try code(verify) == "threshold-not-met")
        #expect(run("sign --key @/root --targets @/targets.json").status == 0)
        #expect(try code(verify) == "key-of-another-role")
        // The second key signs what the first one has signed.
        #expect(run("sign --key @/two --targets @/targets.json").status == 0)
        #expect(try code(verify) == nil)
        #expect(try code("install --root @/targets.json --store @/store @/vision-1.tar.zst") == "wrong-metadata-type")
        let bytes = try SystemCall.readFile("\(place)/vision-1.tar.zst", limit: 1 << 20)
        try folder.write("other.tar.zst", bytes)
        #expect(try code("verify --root @/root.json @/other.tar.zst") == "unknown-target")
        try folder.write("vision-1.tar.zst", bytes + [0])
        #expect(try code(verify) == "wrong-length")
        var changed = bytes
        changed[bytes.count / 2] ^= 1
        try folder.write("vision-1.tar.zst", changed)
        #expect(try code(verify) == "wrong-hash")
        #expect(try code("install --root @/root.json --store @/store @/vision-1.tar.zst") == "wrong-hash")
        #expect(try SystemCall.names(inDirectory: "\(place)/store").sorted() == ["lock", "objects", "staging"])
    }

    @Test func `what was signed of the manifest has to be what stands in it`() throws {
        prepare()
        let path = "\(place)/targets.json"
        let envelope = try SignedEnvelope(parsing: try SystemCall.readFile(path, limit: 1 << 20), limit: 1 << 20)
        var targets = try TargetsMetadata(unverified: envelope)
        var file = try targets.file("vision-1.tar.zst")
        file.custom = ["holdfast": ["bundle": ["name": "vision", "release": 9]]]
        targets.set("vision-1.tar.zst", file)
        try folder.write("targets.json", try SignedEnvelope(signing: targets.json).bytes)
        #expect(run("sign --key @/one --key @/two --targets @/targets.json").status == 0)
        #expect(try code("verify --root @/root.json @/vision-1.tar.zst") == "wrong-manifest")
    }

    @Test func `keys are never overwritten, and a passphrase opens them`() throws {
        try folder.write("words", "correct horse\n")
        try folder.write("other", "wrong\n")
        #expect(run("keygen --passphrase-file @/words -o @/key").status == 0)
        #expect(try SystemCall.status(of: "\(place)/key").mode == 0o600)
        #expect(run("keygen --no-passphrase -o @/key").error.contains("already there"))
        #expect(run("pack @/app -o @/vision.tar.gz").status == 0)
        #expect(try code("sign --key @/key --passphrase-file @/other @/vision.tar.gz") == "wrong-passphrase")
        #expect(try code("sign --key @/key @/vision.tar.gz") == "usage")
        #expect(try code("sign --key @/key --passphrase-file @/words @/vision.tar.gz") == nil)
        #expect(try code("sign --key @/key.pub @/vision.tar.gz") == "invalid-key")
        #expect(try code("sign @/vision.tar.gz") == "usage")
    }

    @Test func `a device that is not meant is told why`() throws {
        try folder.write(
            "app/manifest.json",
            #"""
            {"format":1,"name":"vision","version":"1","release":1,"requires":{"hardware":["rpi5"],"runtime":"99.0.0"}}
            """#)
        prepare()
        let result = run("install --root @/root.json --store @/store @/vision-1.tar.zst")
        #expect(result.status == 1 && result.error.contains("hardware rpi5") && result.error.contains("99.0.0"))
        #expect(
            try code("install --hardware rpi5 --root @/root.json --store @/store @/vision-1.tar.zst") == "wrong-device")
    }

    @Test func `every mistake of a manifest is said, and inspect shows what is in a bundle`() throws {
        try folder.write("app/manifest.json", #"{"format":1,"name":"a/b","release":0}"#)
        let result = run("pack @/app -o @/x.tar.zst")
        #expect(result.status == 1 && result.error.split(separator: "\n").count == 4)
        #expect(try code("inspect @/x.tar.zst") == "failed")
        try release(1)
        #expect(run("pack @/app -o @/x.tar.zst").status == 0)
        let shown = run("inspect --files @/x.tar.zst").output
        #expect(shown.contains("workers   camera") && shown.contains("bin/tool"))
        let json = try JSONValue.parse(Array(run("inspect --json @/x.tar.zst").output.utf8))
        #expect(json["name"] == "vision" && json["files"] == 2)
    }
}
