package import BundleFormat
import LinuxSystem
import Trust

/// Bundles on disk. Files with the same content are one file, in as many versions as have it; a version is a folder of links
/// to them, and either complete or not there; which one is current is a link that is replaced at once. One process, one
/// thread; blocks for the disk. docs/bundle-store.md says what is promised.
package final class BundleStore {
    let files: any StoreFiles
    package var settings: StoreSettings

    /// Opens a store, makes what is missing, and takes away what an interrupted process has left.
    package init(_ files: any StoreFiles, _ settings: StoreSettings = StoreSettings()) throws(BundleError) {
        self.files = files
        self.settings = settings
        try recover()
    }

    /// To look only: nothing is taken away or made.
    package init(inspecting files: any StoreFiles) {
        self.files = files
        settings = StoreSettings()
    }

    private func recover() throws(BundleError) {
        try makeFolders()
        let left = try names(in: StorePaths.staging)
        for name in left { try removeTree("\(StorePaths.staging)/\(name)") }
        for bundle in try bundles() {
            // A power cut can bring back the mark of a version that is gone.
            for mark in try names(in: StorePaths.marks(bundle)) where try !has(bundle, mark) {
                try system { () throws(SystemError) in try self.files.remove(StorePaths.mark(bundle, mark)) }
            }
        }
        if !left.isEmpty { try collectGarbage() }
    }

    private func makeFolders() throws(BundleError) {
        for folder in [StorePaths.objects, StorePaths.staging] where try status(folder) == nil {
            try system { () throws(SystemError) in try self.files.makeFolder(folder, permissions: 0o700) }
            try system { () throws(SystemError) in try self.files.syncFolder("") }
        }
    }

    // MARK: What is there

    /// The names of the bundles.
    package func bundles() throws(BundleError) -> [String] {
        try names(in: "").filter { !StorePaths.ours.contains($0) }.sorted()
    }

    /// The versions of a bundle, the newest first.
    package func versions(of bundle: String) throws(BundleError) -> [StoredVersion] {
        let current = try current(of: bundle)
        let good = Set(try names(in: StorePaths.marks(bundle)))
        var versions: [StoredVersion] = []
        for identifier in try names(in: StorePaths.versions(bundle)).sorted() {
            let manifest = try manifest(of: bundle, identifier)
            versions.append(
                StoredVersion(
                    bundle: bundle, identifier: identifier, manifest: manifest, isCurrent: identifier == current,
                    isGood: good.contains(identifier), ownSize: try ownSize(bundle, identifier, manifest)))
        }
        return versions.sorted { ($0.manifest.release, $0.identifier) > ($1.manifest.release, $1.identifier) }
    }

    /// Of a bundle that is active; `nil` when no version is.
    package func current(of bundle: String) throws(BundleError) -> String? {
        let path = StorePaths.current(bundle)
        guard try status(path) != nil else { return nil }
        let target = try system { () throws(SystemError) in try self.files.target(ofLink: path) }
        return String(target.dropFirst(StorePaths.currentTarget("").count))
    }

    package func has(_ bundle: String, _ identifier: String) throws(BundleError) -> Bool {
        try status(StorePaths.version(bundle, identifier)) != nil
    }

    /// The manifest of a version, which its identifier stands for.
    package func manifest(of bundle: String, _ identifier: String) throws(BundleError) -> BundleManifest {
        guard let bytes = try content("\(StorePaths.version(bundle, identifier))/\(BundleManifest.fileName)") else {
            throw BundleError(.notFound, "there is no \(identifier) of \(bundle) in \(files.root)")
        }
        let manifest: BundleManifest?
        do throws(BundleError) { manifest = try BundleManifest(parsing: bytes) } catch {
            guard error.code == .manifestInvalid else { throw error }
            manifest = nil
        }
        guard let manifest, manifest.identifier == identifier, manifest.name == bundle else {
            throw BundleError(.damagedVersion, "the manifest of \(bundle) \(identifier) is damaged; install it again")
        }
        return manifest
    }

    /// Bytes of files that no other version has.
    private func ownSize(
        _ bundle: String, _ identifier: String, _ manifest: BundleManifest
    ) throws(BundleError) -> Int {
        var size = 0
        for file in manifest.files {
            let path = "\(StorePaths.version(bundle, identifier))/\(StorePaths.files)/\(file.path)"
            // The pool has the other name.
            if let entry = try status(path), entry.links <= 2 { size += entry.size }
        }
        return size
    }

    /// All content, in bytes.
    package func usedSize() throws(BundleError) -> Int {
        var size = 0
        try forEachObject { _, entry in size += entry.size }
        return size
    }

    func forEachObject(_ visit: (String, StoreEntry) throws(BundleError) -> Void) throws(BundleError) {
        for folder in try names(in: StorePaths.objects).sorted() {
            for name in try names(in: "\(StorePaths.objects)/\(folder)").sorted() {
                let path = "\(StorePaths.objects)/\(folder)/\(name)"
                if let entry = try status(path) { try visit(path, entry) }
            }
        }
    }

    // MARK: Calls

    func system<Value>(_ body: () throws(SystemError) -> Value) throws(BundleError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            guard error.isNoSpace else { throw BundleError(error) }
            var full = BundleError(.noSpace, "the disk is full: \(error.description)")
            full.cause = error
            throw full
        }
    }

    /// None where there is no such folder.
    func names(in folder: String) throws(BundleError) -> [String] {
        if !folder.isEmpty {
            guard try status(folder)?.kind == .directory else { return [] }
        }
        return try system { () throws(SystemError) in try self.files.names(in: folder) }
    }

    func status(_ path: String) throws(BundleError) -> StoreEntry? {
        try system { () throws(SystemError) in try self.files.status(path) }
    }

    /// A small file; `nil` when there is none.
    func content(_ path: String) throws(BundleError) -> [UInt8]? {
        var bytes: [UInt8] = []
        let isThere = try system { () throws(SystemError) in
            try self.files.read(path) { if bytes.count <= BundleLimits.manifest { bytes += $0 } }
        }
        return isThere ? bytes : nil
    }

    /// Removes a folder with everything in it, or a file.
    func removeTree(_ path: String) throws(BundleError) {
        guard let entry = try status(path) else { return }
        guard entry.kind == .directory else {
            return try system { () throws(SystemError) in try self.files.remove(path) }
        }
        for name in try names(in: path) { try removeTree("\(path)/\(name)") }
        try system { () throws(SystemError) in try self.files.removeFolder(path) }
    }
}
