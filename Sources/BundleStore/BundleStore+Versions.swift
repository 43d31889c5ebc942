package import BundleFormat
import LinuxSystem
import Trust

/// Checking, switching, keeping and removing.
extension BundleStore {
    // MARK: Checking

    /// Reads a whole version from the disk and compares it with its manifest: what a disk has changed silently shows before it is
    /// started. Damaged objects leave the pool, so that staging the same bundle again writes them anew.
    package func verifyTree(_ bundle: String, _ identifier: String) throws(BundleError) -> VerifiedVersion {
        let manifest = try manifest(of: bundle, identifier)
        let folder = StorePaths.version(bundle, identifier)
        var problems: [String] = []
        var expected: Set<String> = [BundleManifest.fileName, StorePaths.tree, StorePaths.files]
        for file in manifest.files {
            expect("\(StorePaths.files)/\(file.path)", in: &expected)
            guard let problem = try problem(of: file, in: folder) else { continue }
            problems.append("\(file.path): \(problem)")
            try discardObject(file)
        }
        for link in manifest.links {
            expect("\(StorePaths.files)/\(link.path)", in: &expected)
            let path = "\(folder)/\(StorePaths.files)/\(link.path)"
            var target: String?
            if try status(path)?.kind == .symbolicLink {
                target = try system { () throws(SystemError) in try self.files.target(ofLink: path) }
            }
            if target != link.target { problems.append("\(link.path): is not the link that it was") }
        }
        let place = "\(files.root)/\(folder)/\(StorePaths.files)"
        if try content("\(folder)/\(StorePaths.tree)") != Array(BundleTree(manifest).configuration(folder: place).utf8)
        {
            problems.append("\(StorePaths.tree): is not what the manifest says; was the store moved?")
        }
        for path in try paths(below: folder, "") where !expected.contains(path) {
            problems.append("\(path): was not there")
        }
        guard problems.isEmpty else {
            throw BundleError(
                .damagedVersion, "\(bundle) \(identifier) is not on the disk as it was written", problems: problems)
        }
        return VerifiedVersion(bundle: bundle, identifier: identifier, manifest: manifest)
    }

    private func expect(_ path: String, in expected: inout Set<String>) {
        var path = path
        while !path.isEmpty, expected.insert(path).inserted { path = StorePaths.folder(of: path) }
    }

    /// What is wrong with a file; `nil` when nothing is.
    private func problem(of file: BundleFile, in folder: String) throws(BundleError) -> String? {
        let path = "\(folder)/\(StorePaths.files)/\(file.path)"
        guard let entry = try status(path) else { return "is missing" }
        guard entry.kind == .regular else { return "is no file" }
        guard entry.mode == file.storedMode else { return "has the mode \(String(entry.mode, radix: 8))" }
        guard entry.size == file.size else { return "has \(entry.size) bytes and not \(file.size)" }
        let hasher = try BundleError.trust { () throws(TrustError) in try SHA256Hasher() }
        var failure: TrustError?
        do throws(SystemError) {
            _ = try files.read(path) { piece in
                do throws(TrustError) { try hasher.add(piece) } catch { failure = error }
            }
        } catch {
            guard error.isDiskFailure else { throw BundleError(error) }
            return "cannot be read: \(error.message)"
        }
        if let failure { throw BundleError(failure) }
        let digest = try BundleError.trust { () throws(TrustError) in try hasher.finish() }
        return digest == file.sha256 ? nil : "has another content"
    }

    private func discardObject(_ file: BundleFile) throws(BundleError) {
        let object = StorePaths.object(file)
        guard try status(object) != nil else { return }
        // A store that is only looked at, or a disk that takes nothing, keeps it.
        try? system { () throws(SystemError) in try self.files.remove(object) }
    }

    private func paths(below folder: String, _ prefix: String) throws(BundleError) -> [String] {
        var paths: [String] = []
        for name in try names(in: prefix.isEmpty ? folder : "\(folder)/\(prefix)") {
            let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
            paths.append(path)
            if try status("\(folder)/\(path)")?.kind == .directory { paths += try self.paths(below: folder, path) }
        }
        return paths
    }

    // MARK: Switching

    /// Makes a version the current one, at once: before and after, exactly one complete version is. Where this throws, it is
    /// either the former or the new one; `current(of:)` says which.
    package func activate(_ version: VerifiedVersion) throws(BundleError) {
        let (bundle, next) = (version.bundle, StorePaths.next(version.bundle))
        if try status(next) != nil { try system { () throws(SystemError) in try self.files.remove(next) } }
        try system { () throws(SystemError) in
            try self.files.makeLink(next, target: StorePaths.currentTarget(version.identifier))
            try self.files.rename(next, to: StorePaths.current(bundle))
            try self.files.syncFolder(bundle)
        }
    }

    /// Notes that a version has proved itself: from now on it is one to go back to.
    package func commit(_ bundle: String, _ identifier: String) throws(BundleError) {
        guard try has(bundle, identifier) else {
            throw BundleError(.notFound, "there is no \(identifier) of \(bundle) in \(files.root)")
        }
        let (marks, mark) = (StorePaths.marks(bundle), StorePaths.mark(bundle, identifier))
        if try status(marks) == nil {
            try system { () throws(SystemError) in
                try self.files.makeFolder(marks, permissions: 0o755)
                try self.files.syncFolder(bundle)
            }
        }
        if try status(mark) == nil {
            try system { () throws(SystemError) in
                try self.files.create(mark, size: 0)
                try self.files.close(permissions: 0o444)
            }
        }
        try system { () throws(SystemError) in try self.files.syncFolder(marks) }
    }

    // MARK: Removing

    /// The current version, and the newest good ones: nothing removes these.
    func keptVersions(of bundle: String) throws(BundleError) -> Set<String> {
        let versions = try versions(of: bundle)
        var kept = Set(versions.filter(\.isCurrent).map(\.identifier))
        let good = versions.filter { $0.isGood && !$0.isCurrent }
        let isCurrentGood = versions.contains { $0.isCurrent && $0.isGood }
        kept.formUnion(good.prefix(settings.keptVersions - (isCurrentGood ? 1 : 0)).map(\.identifier))
        return kept
    }

    /// Removes a version that is neither current nor one of the last two to go back to. Its files go with `collectGarbage`.
    package func remove(_ bundle: String, _ identifier: String) throws(BundleError) {
        let versions = try versions(of: bundle)
        guard let version = versions.first(where: { $0.identifier == identifier }) else {
            throw BundleError(.notFound, "there is no \(identifier) of \(bundle) in \(files.root)")
        }
        guard !version.isCurrent else {
            throw BundleError(.isCurrent, "\(bundle) \(identifier) is current; activate another version first")
        }
        let good = versions.count { $0.isGood }
        guard !version.isGood || good > settings.keptVersions else {
            throw BundleError(
                .isNeeded,
                "\(bundle) \(identifier) is one of \(good) good versions, and \(settings.keptVersions) are kept")
        }
        try withdraw(bundle, identifier)
    }

    /// Takes a version out of its place at once, and then apart.
    func withdraw(_ bundle: String, _ identifier: String) throws(BundleError) {
        let waste = "\(StorePaths.staging)/removed"
        try removeTree(waste)
        try system { () throws(SystemError) in
            try self.files.rename(StorePaths.version(bundle, identifier), to: waste)
            try self.files.syncFolder(StorePaths.versions(bundle))
        }
        let mark = StorePaths.mark(bundle, identifier)
        if try status(mark) != nil { try system { () throws(SystemError) in try self.files.remove(mark) } }
        try removeTree(waste)
    }

    /// Removes every file of the pool that no version has.
    /// - Returns: how many, and their bytes.
    @discardableResult
    package func collectGarbage() throws(BundleError) -> (objects: Int, bytes: Int) {
        var (objects, bytes) = (0, 0)
        try forEachObject { (path, entry) throws(BundleError) in
            // Its own name is the only one.
            guard entry.links <= 1 else { return }
            try system { () throws(SystemError) in try self.files.remove(path) }
            (objects, bytes) = (objects + 1, bytes + entry.size)
        }
        return (objects, bytes)
    }
}
