/// Whether the files and links of a manifest can lie beside each other in a folder, on any file system.
struct ManifestContentCheck {
    private let manifest: BundleManifest
    private let reader: ManifestReader
    /// Every path and every folder that leads to one, without regard to case.
    private var taken: [String: (path: String, isFolder: Bool)] = [:]

    init(_ manifest: BundleManifest, _ reader: ManifestReader) {
        self.manifest = manifest
        self.reader = reader
    }

    func run() {
        var check = self
        for (index, file) in manifest.files.enumerated() { check.take(file.path, "files[\(index)].path") }
        for (index, link) in manifest.links.enumerated() { check.take(link.path, "links[\(index)].path") }
        check.checkLinks()
        var total = 0
        for file in manifest.files {
            let (sum, isTooLarge) = total.addingReportingOverflow(file.size)
            guard !isTooLarge, sum <= BundleLimits.content else {
                return reader.report("files", "their sizes add up to more than \(BundleLimits.content) bytes")
            }
            total = sum
        }
    }

    private mutating func take(_ path: String, _ place: String) {
        if path == BundleManifest.fileName {
            return reader.report(place, "the manifest does not list itself")
        }
        for folder in BundlePath.folders(of: path) { take(folder, isFolder: true, place) }
        take(path, isFolder: false, place)
    }

    private mutating func take(_ path: String, isFolder: Bool, _ place: String) {
        let folded = path.lowercased()
        guard let other = taken[folded] else {
            taken[folded] = (path, isFolder)
            return
        }
        if other.path != path {
            reader.report(place, "\(path) differs from \(other.path) only in upper and lower case")
        } else if !isFolder || !other.isFolder {
            reader.report(place, isFolder || other.isFolder ? "\(path) is also a folder" : "\(path) stands there twice")
        }
    }

    /// A link leads to a file, not to another link: so nothing is ever reached through two of them.
    private func checkLinks() {
        let files = Set(manifest.files.map(\.path))
        for (index, link) in manifest.links.enumerated() {
            guard let destination = BundlePath.destination(of: link.target, at: link.path),
                !files.contains(destination)
            else { continue }
            reader.report("links[\(index)].target", "leads to \(destination), which is no file of this bundle")
        }
    }
}
