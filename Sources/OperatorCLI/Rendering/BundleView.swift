import BundleFormat
import ControlProtocol
import Trust

/// What is in a bundle, for people and for programs.
struct BundleView {
    let path: String
    let manifest: BundleManifest
    let archive: (length: Int, sha256: SHA256Digest)

    init(path: String, manifest: BundleManifest, archive: (length: Int, sha256: SHA256Digest)) {
        (self.path, self.manifest, self.archive) = (path, manifest, archive)
    }

    /// In two lines.
    func summary(_ palette: Palette, verb: String) -> [String] {
        let files = manifest.files.count == 1 ? "1 file" : "\(manifest.files.count) files"
        return [
            "\(verb) \(palette(.heading, manifest.name)) \(manifest.version), release \(manifest.release): \(files), "
                + "\(ByteText.compact(manifest.contentSize)), in \(ByteText.compact(archive.length))",
            "  \(path)  sha256 \(archive.sha256)",
        ]
    }

    func lines(_ palette: Palette, listsFiles: Bool) -> [String] {
        var lines = summary(palette, verb: manifest.kind.rawValue)
        lines.append("  known as \(manifest.identifier) on a device")
        let needs = manifest.requirements
        var requirements = needs.hardware.isEmpty ? [] : ["hardware \(needs.hardware.joined(separator: " or "))"]
        if !needs.architectures.isEmpty { requirements.append(needs.architectures.joined(separator: " or ")) }
        if let runtime = needs.runtime { requirements.append("Holdfast \(runtime)") }
        lines.append("  requires  " + (requirements.isEmpty ? "nothing" : requirements.joined(separator: ", ")))
        lines.append("  workers   \(names(manifest.workers))")
        if !manifest.models.isEmpty {
            lines.append("  models    \(manifest.models.map(\.name).joined(separator: ", "))")
        }
        lines.append(
            "  data      format \(manifest.data.format), "
                + (manifest.data.isReversible
                    ? "an older version can work with it" : palette(.caution, "there is no way back")))
        guard listsFiles else { return lines }
        var table = Table([Table.Column("MODE"), Table.Column("SIZE", .right), Table.Column("PATH")])
        for file in manifest.files {
            table.add([.init(file.isExecutable ? "0755" : "0644"), .init("\(file.size)"), .init(file.path)])
        }
        for link in manifest.links { table.add([.init("link"), .init(""), .init("\(link.path) -> \(link.target)")]) }
        return lines + table.lines(palette)
    }

    private func names(_ children: [JSONObject]) -> String {
        let names = children.compactMap { $0["name"]?.stringValue }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    private enum Key: String {
        case file, sha256, length, version, name, kind, release, identifier, manifest, files, workers, models
        case size = "size_bytes"
    }

    var json: JSONValue {
        .object([
            Key.file: path, .length: archive.length, .sha256: archive.sha256.hex, .name: manifest.name,
            .version: manifest.version, .identifier: manifest.identifier, .kind: manifest.kind.rawValue,
            .release: manifest.release, .size: manifest.contentSize, .files: manifest.files.count,
            .workers: manifest.workers.compactMap { $0["name"]?.stringValue },
            .models: manifest.models.map(\.name), .manifest: JSONValue.object(manifest.targetDescription),
        ])
    }
}
