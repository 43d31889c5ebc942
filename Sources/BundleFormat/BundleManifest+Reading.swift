import ControlProtocol
import DeviceConfiguration
import Trust

extension BundleManifest {
    private enum Key: String, CaseIterable {
        case format, name, version, kind, release, requires, files, links, supervisors, workers, models, health, data
    }

    /// Reads and judges a manifest: everything that is wrong with it is said at once.
    package init(parsing bytes: [UInt8]) throws(BundleError) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(
                bytes,
                limits: JSONLimits(maximumBytes: BundleLimits.manifest, maximumDepth: BundleLimits.manifestDepth))
        } catch {
            throw BundleError(.manifestInvalid, "the manifest is no valid JSON", problems: [error.description])
        }
        let reader = ManifestReader()
        let manifest = BundleManifest(
            json, reader, digest: try BundleError.trust { () throws(TrustError) in try SHA256Digest(of: bytes) })
        guard let manifest, reader.problems.isEmpty else {
            let count = reader.problems.count == 1 ? "1 problem" : "\(reader.problems.count) problems"
            throw BundleError(.manifestInvalid, "the manifest has \(count)", problems: reader.problems)
        }
        self = manifest
    }

    private init?(_ json: JSONValue, _ reader: ManifestReader, digest: SHA256Digest) {
        guard let top = reader.object(json, "", keys: Key.allCases.map(\.rawValue)) else { return nil }
        _ = top.number(Key.format.rawValue, Self.format...Self.format)
        let name = top.text(Key.name.rawValue, ChildName.allowed) {
            ChildName.nearest(to: $0) == $0 && !ChildName.isReserved($0) && !Self.takenNames.contains($0)
        }
        let version = top.text(Key.version.rawValue, Self.allowedVersion, where: Self.isVersion)
        let kind = top.text(
            Key.kind.rawValue, "application, runtime", default: Kind.application.rawValue,
            where: { Kind(rawValue: $0) != nil })
        let release = top.number(Key.release.rawValue, 1...(1 << 53))
        requirements = BundleRequirements(top.part(Key.requires.rawValue, keys: BundleRequirements.keys))
        files = top.list(Key.files.rawValue, limit: BundleLimits.files).compactMap { entry, place in
            BundleFile(reader.object(entry, place, keys: BundleFile.keys))
        }
        links = top.list(Key.links.rawValue, limit: BundleLimits.links).compactMap { entry, place in
            BundleLink(reader.object(entry, place, keys: BundleLink.keys))
        }
        supervisors = top.list(Key.supervisors.rawValue, limit: BundleLimits.children).compactMap { entry, place in
            reader.table(entry, place)
        }
        workers = top.list(Key.workers.rawValue, limit: BundleLimits.children).compactMap { entry, place in
            reader.table(entry, place)
        }
        models = top.list(Key.models.rawValue, limit: BundleLimits.children).compactMap { entry, place in
            BundleModel(reader.object(entry, place, keys: BundleModel.keys))
        }
        health = HealthContract(top.part(Key.health.rawValue, keys: HealthContract.keys))
        data = DataFormat(top.part(Key.data.rawValue, keys: DataFormat.keys))
        self.digest = digest
        guard let name, let version, let kind = kind.flatMap(Kind.init(rawValue:)), let release else { return nil }
        (self.name, self.version, self.kind, self.release) = (name, version, kind, release)
        ManifestContentCheck(self, reader).run()
        BundleTree(self).check(reader)
        checkReferences(reader)
    }

    /// Folders of the store that stand beside those of the bundles.
    private static let takenNames = ["objects", "staging", "downloads", "lock"]
    /// Whether a bundle may be called so.
    package static func isName(_ text: String) -> Bool {
        ChildName.nearest(to: text) == text && !takenNames.contains(text)
    }

    static let allowedVersion = "1 to 64 letters, digits, \".\", \"-\", \"_\" and \"+\", the first a letter or digit"

    static func isVersion(_ text: String) -> Bool {
        ChildName.nearest(to: text.replacing("+", with: "-")) == text.replacing("+", with: "-")
            && text.utf8.first != 0x2b
    }

    /// What one part of a manifest says of another.
    private func checkReferences(_ reader: ManifestReader) {
        let paths = Set(files.map(\.path))
        let names = Set(workers.compactMap { $0["name"]?.stringValue })
        for (index, model) in models.enumerated() {
            if !paths.contains(model.path) { reader.report("models[\(index)].path", "is no file of this bundle") }
            if let worker = model.worker, !names.contains(worker) {
                reader.report("models[\(index)].worker", "is no worker of this bundle")
            }
        }
        for (index, worker) in health.probes.enumerated() {
            let probes = workers.first { $0["name"]?.stringValue == worker }?["probe"]?.arrayValue ?? []
            if probes.isEmpty {
                reader.report("health.probes[\(index)]", "is no worker of this bundle that has a probe")
            }
        }
        guard kind == .runtime else { return }
        if !workers.isEmpty || !supervisors.isEmpty || !models.isEmpty {
            reader.report("kind", "a runtime bundle has no workers, supervisors or models")
        }
        if !files.contains(where: { $0.path == "bin/holdfastd" && $0.isExecutable }) {
            reader.report("files", "a runtime bundle has the executable bin/holdfastd")
        }
    }
}

extension BundleRequirements {
    static let keys = ["hardware", "architecture", "runtime"]

    fileprivate init(_ object: ManifestObject?) {
        let allowed = "1 to 64 letters, digits, \".\", \"_\" and \"-\""
        hardware = object?.texts("hardware", limit: 64, allowed) { ChildName.nearest(to: $0) == $0 } ?? []
        architectures = object?.texts("architecture", limit: 16, allowed) { ChildName.nearest(to: $0) == $0 } ?? []
        runtime =
            object?.object["runtime"] == nil
            ? nil
            : object?.text("runtime", "a version such as \"0.1.0\"") { RuntimeVersion($0) != nil }
                .flatMap { RuntimeVersion($0) }
    }
}

extension BundleFile {
    static let keys = ["path", "size", "mode", "sha256"]

    fileprivate init?(_ object: ManifestObject?) {
        guard let object else { return nil }
        let path = object.text("path", BundlePath.allowed, where: BundlePath.isSafe)
        let size = object.number("size", 0...BundleLimits.content)
        let mode = object.text("mode", "\"0644\", \"0755\"") { $0 == "0644" || $0 == "0755" }
        let hash = object.text("sha256", "64 hexadecimal digits in lower case") { SHA256Digest(hex: $0) != nil }
        guard let path, let size, let mode, let digest = hash.flatMap({ SHA256Digest(hex: $0) }) else { return nil }
        self.init(path: path, size: size, isExecutable: mode == "0755", sha256: digest)
    }

    var json: JSONValue {
        [
            "path": .string(path), "size": size.json, "mode": isExecutable ? "0755" : "0644",
            "sha256": .string(sha256.hex),
        ]
    }
}

extension BundleLink {
    static let keys = ["path", "target"]

    fileprivate init?(_ object: ManifestObject?) {
        guard let path = object?.text("path", BundlePath.allowed, where: BundlePath.isSafe) else { return nil }
        let target = object?.text("target", "a relative path to a file of this bundle") {
            BundlePath.destination(of: $0, at: path) != nil
        }
        guard let target else { return nil }
        self.init(path: path, target: target)
    }

    var json: JSONValue { ["path": .string(path), "target": .string(target)] }
}

extension BundleModel {
    static let keys = ["name", "path", "worker"]

    fileprivate init?(_ object: ManifestObject?) {
        guard let object else { return nil }
        let name = object.text("name", ChildName.allowed) { ChildName.nearest(to: $0) == $0 }
        let path = object.text("path", BundlePath.allowed, where: BundlePath.isSafe)
        let worker = object.object["worker"] == nil ? nil : object.text("worker", ChildName.allowed) { !$0.isEmpty }
        guard let name, let path else { return nil }
        self.init(name: name, path: path, worker: worker)
    }
}

extension HealthContract {
    static let keys = ["ready", "probation", "probes", "self_test"]
    private static let day = Duration.seconds(86_400)

    fileprivate init(_ object: ManifestObject?) {
        let (soon, long) = (Duration.seconds(60), Duration.seconds(300))
        ready = object?.duration("ready", .seconds(1)...Self.day, default: soon) ?? soon
        probation = object?.duration("probation", .zero...Self.day, default: long) ?? long
        probes = object?.texts("probes", limit: BundleLimits.children, "names of workers") { !$0.isEmpty } ?? []
        guard let test = object?.part("self_test", keys: ["command", "timeout"]) else { return }
        let command = test.texts("command", limit: BundleLimits.arguments, "a program and its arguments") {
            !$0.utf8.contains(0)
        }
        if command.first?.isEmpty ?? true { test.reader.report(test.path("command"), "names no program") }
        selfTest = SelfTest(
            command: command, timeout: test.duration("timeout", .seconds(1)...Self.day, default: .seconds(30)))
    }
}

extension DataFormat {
    static let keys = ["format", "reversible"]

    fileprivate init(_ object: ManifestObject?) {
        format = object?.number("format", 0...1_000_000, default: 0) ?? 0
        isReversible = object?.truth("reversible", default: true) ?? true
    }
}
