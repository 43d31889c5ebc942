package import BundleFormat
import LinuxSystem

/// What a deployment needs besides: its own state beside the versions, and to know which of them are good.
extension BundleStore {
    /// The absolute path of the folder for downloads, which is made when there is none.
    package func downloadsFolder() throws(BundleError) -> String {
        if try status(StorePaths.downloads) == nil {
            try system { () throws(SystemError) in
                try self.files.makeFolder(StorePaths.downloads, permissions: 0o700)
                try self.files.syncFolder("")
            }
        }
        return "\(files.root)/\(StorePaths.downloads)"
    }

    /// As `saveDeployment` has written it last; `nil` when there is none.
    package func deployment(of bundle: String) throws(BundleError) -> [UInt8]? {
        try content(StorePaths.deployment(bundle))
    }

    /// Writes a deployment's state in the place of the former one, for certain: after a power cut it is the one or the other.
    /// Where this throws, it is either, too.
    package func saveDeployment(of bundle: String, _ bytes: [UInt8]) throws(BundleError) {
        let next = StorePaths.nextDeployment(bundle)
        if try status(bundle) == nil {
            try system { () throws(SystemError) in
                try self.files.makeFolder(bundle, permissions: 0o755)
                try self.files.syncFolder("")
            }
        }
        if try status(next) != nil { try system { () throws(SystemError) in try self.files.remove(next) } }
        try system { () throws(SystemError) in
            try self.files.create(next, size: bytes.count)
            try bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in
                try self.files.append(UnsafeRawBufferPointer(buffer))
            }
            try self.files.synchronize()
            try self.files.close(permissions: 0o644)
            try self.files.rename(next, to: StorePaths.deployment(bundle))
            try self.files.syncFolder(bundle)
        }
    }

    /// No version of the bundle is current any more.
    package func deactivate(_ bundle: String) throws(BundleError) {
        let current = StorePaths.current(bundle)
        guard try status(current) != nil else { return }
        try system { () throws(SystemError) in
            try self.files.remove(current)
            try self.files.syncFolder(bundle)
        }
    }

    /// Notes which versions are ones to go back to. Of those that are not there nothing is noted.
    package func markGood(_ identifiers: Set<String>, of bundle: String) throws(BundleError) {
        for identifier in identifiers.sorted() where try has(bundle, identifier) { try commit(bundle, identifier) }
        for mark in try names(in: StorePaths.marks(bundle)) where !identifiers.contains(mark) {
            try system { () throws(SystemError) in try self.files.remove(StorePaths.mark(bundle, mark)) }
        }
    }

    /// Whether every file of a version is there with its size and mode. What is in them is not looked at: that is
    /// `verifyTree`'s, which takes long.
    package func isComplete(_ bundle: String, _ identifier: String) throws(BundleError) -> Bool {
        guard try has(bundle, identifier) else { return false }
        let manifest: BundleManifest
        do throws(BundleError) {
            manifest = try self.manifest(of: bundle, identifier)
        } catch {
            guard error.code == .damagedVersion || error.code == .notFound else { throw error }
            return false
        }
        let folder = "\(StorePaths.version(bundle, identifier))/\(StorePaths.files)"
        for file in manifest.files {
            guard let entry = try status("\(folder)/\(file.path)"), entry.kind == .regular, entry.size == file.size,
                entry.mode == file.storedMode
            else { return false }
        }
        return true
    }
}
