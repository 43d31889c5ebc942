package import BundleFormat
import LinuxSystem

/// Unpacking.
extension BundleStore {
    /// A file of a tree needs its place in a folder besides its content, in bytes: what a block of most file systems has.
    private static let block = 4096

    /// Unpacks a bundle beside what is there: afterwards the version is complete, durable and not current. Whatever goes wrong,
    /// nothing else has changed.
    @discardableResult
    package func stage(_ archive: BundleArchive) throws(BundleError) -> StagingReport {
        let manifest = archive.manifest
        if try has(manifest.name, manifest.identifier) {
            if try isWhole(manifest) {
                return StagingReport(bundle: manifest.name, identifier: manifest.identifier, wasThere: true)
            }
            try discardDamaged(manifest)
        }
        let work = "\(StorePaths.staging)/\(manifest.identifier)"
        do throws(BundleError) {
            try removeTree(work)
            var staging = try Staging(self, archive, work: work)
            try staging.run()
            try? removeTree(work)
            return staging.report
        } catch {
            // What cannot be removed now goes when the store is opened next.
            try? removeTree(work)
            throw error
        }
    }

    private func isWhole(_ manifest: BundleManifest) throws(BundleError) -> Bool {
        do throws(BundleError) {
            _ = try verifyTree(manifest.name, manifest.identifier)
            return true
        } catch {
            guard error.code == .damagedVersion else { throw error }
            return false
        }
    }

    private func discardDamaged(_ manifest: BundleManifest) throws(BundleError) {
        guard try current(of: manifest.name) != manifest.identifier else {
            throw BundleError(
                .damagedVersion,
                "\(manifest.name) \(manifest.identifier) is current and damaged; activate another version, and install it again"
            )
        }
        try withdraw(manifest.name, manifest.identifier)
    }

    /// Makes room for something that is no content yet, in bytes; throws `no-space` when there is none.
    package func makeRoom(bytes: Int) throws(BundleError) {
        while try !makeRoom(bytes: bytes, content: 0, files: 1) {}
    }

    /// Makes room for a bundle, or says that there is none. What goes may be what the bundle was to share.
    /// - Parameters:
    ///   - bytes: that will be taken of the disk.
    ///   - content: of these, what counts for the quota.
    /// - Returns: false when something has gone for it: what is needed has to be found out again.
    func makeRoom(bytes: Int, content: Int, files count: Int) throws(BundleError) -> Bool {
        let available = try system { () throws(SystemError) in try self.files.available() }
        let used = try usedSize()
        let isQuotaKept = content <= settings.quota && used <= settings.quota - content
        let fits = available.bytes >= bytes + settings.margin && available.files.map { $0 >= count } ?? true
        if isQuotaKept, fits { return true }
        if try removeOldest() { return false }
        guard isQuotaKept else {
            throw BundleError(
                .noSpace,
                "\(content) bytes are needed, and versions that stay use \(used) of the quota of \(settings.quota)")
        }
        guard let left = available.files, left < count else {
            throw BundleError(
                .noSpace, "\(bytes) bytes are needed, and \(available.bytes) are free on the disk of \(files.root)")
        }
        throw BundleError(.noSpace, "\(count) files are needed, and \(left) can still be made on the disk")
    }

    /// Removes the version that is missed least, if there is one that may go.
    private func removeOldest() throws(BundleError) -> Bool {
        for bundle in try bundles() {
            let kept = try keptVersions(of: bundle)
            guard let oldest = try versions(of: bundle).last(where: { !kept.contains($0.identifier) }) else { continue }
            try withdraw(bundle, oldest.identifier)
            try collectGarbage()
            return true
        }
        return try collectGarbage().bytes > 0
    }

    /// Checks a new object's room: each takes whole blocks.
    static func room(for file: BundleFile) -> Int { (file.size + block - 1) / block * block }
    /// For folders, links, and the manifest.
    static func room(forEntries count: Int, manifest: Int) -> Int { count * 256 + manifest * 2 + 16 * block }
}

/// One bundle on its way into a store.
private struct Staging {
    private let store: BundleStore
    private let archive: BundleArchive
    private let work: String
    private let manifest: BundleManifest
    private(set) var report: StagingReport
    /// New objects, by where they will be.
    private var fresh: [String: String] = [:]
    private var folders: Set<String> = []
    /// What is still set aside on the disk, in bytes.
    private var reserved = 0

    private var files: any StoreFiles { store.files }
    private var version: String { "\(work)/version" }
    private var reserve: String { "\(work)/reserve" }

    init(_ store: BundleStore, _ archive: BundleArchive, work: String) throws(BundleError) {
        (self.store, self.archive, self.work) = (store, archive, work)
        manifest = archive.manifest
        report = StagingReport(bundle: manifest.name, identifier: manifest.identifier)
    }

    mutating func run() throws(BundleError) {
        try prepare()
        while let entry = try archive.next() {
            switch entry {
            case .file(let file): try take(file)
            case .link(let link): try take(link)
            }
        }
        try writeText(BundleManifest.fileName, archive.manifestBytes)
        let place = "\(files.root)/\(StorePaths.version(manifest.name, manifest.identifier))/\(StorePaths.files)"
        try writeText(StorePaths.tree, Array(BundleTree(manifest).configuration(folder: place).utf8))
        try call { (files) throws(SystemError) in
            try files.remove(reserve)
            // The content of all files, before anything gets the name by which it is believed.
            try files.syncAll()
        }
        try publish()
    }

    private func call<Value>(_ body: (any StoreFiles) throws(SystemError) -> Value) throws(BundleError) -> Value {
        try store.system { () throws(SystemError) in try body(store.files) }
    }

    private mutating func prepare() throws(BundleError) {
        while try !reckon() {}
        try call { (files) throws(SystemError) in
            try files.makeFolder(work, permissions: 0o700)
            try files.makeFolder("\(work)/new", permissions: 0o700)
            try files.makeFolder(version, permissions: 0o755)
            try files.makeFolder("\(version)/\(StorePaths.files)", permissions: 0o755)
            try files.reserve(reserve, size: reserved)
        }
    }

    /// Finds out what is needed, and makes room for it.
    /// - Returns: whether that holds.
    private mutating func reckon() throws(BundleError) -> Bool {
        var bytes = BundleStore.room(
            forEntries: manifest.files.count + manifest.links.count, manifest: archive.manifestBytes.count)
        var (content, count) = (0, 16 + manifest.links.count)
        var known: Set<String> = []
        for file in manifest.files where known.insert(StorePaths.object(file)).inserted {
            guard try !isStored(file) else { continue }
            bytes += BundleStore.room(for: file)
            content += file.size
            count += 1
        }
        count += Set(manifest.files.map { StorePaths.folder(of: $0.path) }).count
        reserved = bytes
        return try store.makeRoom(bytes: bytes, content: content, files: count)
    }

    private func isStored(_ file: BundleFile) throws(BundleError) -> Bool {
        guard let entry = try store.status(StorePaths.object(file)) else { return false }
        return entry.kind == .regular && entry.size == file.size
    }

    private mutating func makeFolders(for path: String) throws(BundleError) {
        let folder = StorePaths.folder(of: path)
        guard !folder.isEmpty, !folders.contains(folder) else { return }
        try makeFolders(for: folder)
        try call { (files) throws(SystemError) in
            try files.makeFolder("\(version)/\(StorePaths.files)/\(folder)", permissions: 0o755)
        }
        folders.insert(folder)
    }

    private mutating func take(_ link: BundleLink) throws(BundleError) {
        try makeFolders(for: link.path)
        try call { (files) throws(SystemError) in
            try files.makeLink("\(version)/\(StorePaths.files)/\(link.path)", target: link.target)
        }
    }

    private mutating func take(_ file: BundleFile) throws(BundleError) {
        try makeFolders(for: file.path)
        let object = StorePaths.object(file)
        let place = "\(version)/\(StorePaths.files)/\(file.path)"
        var source = fresh[object]
        if source == nil, try isStored(file) { source = object }
        if let source {
            // The archive judges the content when it goes on.
            guard try !link(source, to: place) else {
                report.sharedFiles += 1
                report.sharedBytes += file.size
                return
            }
            // An object has no more than so many names; this file is one by itself.
            try write(file, to: place)
        } else {
            let new = "\(work)/new/\(fresh.count)"
            try write(file, to: new)
            try call { (files) throws(SystemError) in try files.link(new, to: place) }
            fresh[object] = new
        }
        report.newFiles += 1
        report.newBytes += file.size
    }

    private func link(_ source: String, to place: String) throws(BundleError) -> Bool {
        try call { (files) throws(SystemError) in
            do throws(SystemError) {
                try files.link(source, to: place)
                return true
            } catch {
                guard error.isTooManyLinks else { throw error }
                return false
            }
        }
    }

    private mutating func write(_ file: BundleFile, to path: String) throws(BundleError) {
        reserved = max(0, reserved - BundleStore.room(for: file))
        let left = reserved
        try call { (files) throws(SystemError) in
            try files.cut(reserve, to: left)
            try files.create(path, size: file.size)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try archive.read(into: buffer)
            guard count > 0 else { break }
            try call { (files) throws(SystemError) in
                try files.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        try call { (files) throws(SystemError) in try files.close(permissions: file.storedMode) }
    }

    private func writeText(_ name: String, _ bytes: [UInt8]) throws(BundleError) {
        try call { (files) throws(SystemError) in
            try files.create("\(version)/\(name)", size: bytes.count)
            try bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in
                try files.append(UnsafeRawBufferPointer(buffer))
            }
            try files.close(permissions: 0o444)
        }
    }

    /// Gives everything its name. Whoever is interrupted here leaves objects that nobody uses, or a version more.
    private func publish() throws(BundleError) {
        var touched: Set<String> = []
        for (object, new) in fresh.sorted(by: { $0.key < $1.key }) {
            let folder = StorePaths.folder(of: object)
            if touched.insert(folder).inserted, try store.status(folder) == nil {
                try call { (files) throws(SystemError) in try files.makeFolder(folder, permissions: 0o700) }
            }
            try call { (files) throws(SystemError) in try files.rename(new, to: object) }
        }
        for folder in touched.sorted() + [StorePaths.objects] {
            try call { (files) throws(SystemError) in try files.syncFolder(folder) }
        }
        let (bundle, versions) = (manifest.name, StorePaths.versions(manifest.name))
        for folder in [bundle, versions] where try store.status(folder) == nil {
            try call { (files) throws(SystemError) in
                try files.makeFolder(folder, permissions: 0o755)
                try files.syncFolder(StorePaths.folder(of: folder))
            }
        }
        try call { (files) throws(SystemError) in
            try files.rename(version, to: StorePaths.version(bundle, manifest.identifier))
            try files.syncFolder(versions)
        }
    }
}
