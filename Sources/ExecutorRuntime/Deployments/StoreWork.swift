import BundleFormat
import BundleStore
import ControlProtocol
import Deployment
import ExecutorProtocol
import LinuxSystem
import Trust

/// What is done in the bundle store and takes long: everything here blocks for the disk, and only jobs of one thread use it.
final class StoreWork {
    /// A bundle as the disk has it at the start.
    struct Finding: Sendable {
        var bundle: String
        var note: [UInt8]?
        var current: BundleVersion?
        /// The current version's files are all there.
        var isCurrentIntact: Bool
        /// Those that were marked as ones to go back to, the newest first.
        var good: [VersionHistory.Good]
    }

    /// What is to be fetched for a version.
    struct Wanted: Sendable {
        var sha256: String
        var length: Int
    }

    private let settings: DeploymentSettings
    private let store: BundleStore
    private let downloads: String
    /// Archives whose signature and hash were right, until they are unpacked.
    private var archives: [String: (archive: BundleArchive, file: SharedDescriptor)] = [:]
    /// Versions that were read whole, until they are switched to.
    private var verified: [String: VerifiedVersion] = [:]

    /// Opens the store, and takes away what was left half done.
    /// - Throws: an error whose cause `isLockedByAnother` while somebody else works in it.
    /// - Parameter wrap: stands between the store and its folder, in tests.
    init(_ settings: DeploymentSettings, wrap: (any StoreFiles) -> any StoreFiles) throws(BundleError) {
        self.settings = settings
        let folder = try BundleError.system { () throws(SystemError) in try StoreFolder(settings.store) }
        store = try BundleStore(wrap(folder), StoreSettings(quota: settings.quota ?? .max))
        downloads = try store.downloadsFolder()
    }

    func findings() throws(BundleError) -> [Finding] {
        var findings: [Finding] = []
        for bundle in try store.bundles() {
            let current = try store.current(of: bundle)
            var isIntact = false
            if let current { isIntact = try store.isComplete(bundle, current) }
            var good: [VersionHistory.Good] = []
            for stored in (try? store.versions(of: bundle)) ?? [] where stored.isGood {
                guard let version = BundleVersion(identifier: stored.identifier) else { continue }
                good.append(VersionHistory.Good(version: version, terms: VersionTerms(stored.manifest)))
            }
            findings.append(
                Finding(
                    bundle: bundle, note: try store.deployment(of: bundle),
                    current: current.flatMap { BundleVersion(identifier: $0) }, isCurrentIntact: isIntact, good: good))
        }
        return findings
    }

    func has(_ bundle: String, _ version: BundleVersion) throws(BundleError) -> Bool {
        try store.has(bundle, version.identifier)
    }

    /// Whether every byte of a version is as it was.
    func isIntact(_ bundle: String, _ version: BundleVersion) -> Bool {
        (try? store.verifyTree(bundle, version.identifier)) != nil
    }

    // MARK: Download

    /// - Parameter file: under which the version was signed.
    func wanted(_ bundle: String, _ version: BundleVersion, file: String) throws(BundleError) -> Wanted {
        let target = try admission().target(file)
        if let said = target.custom?["holdfast"]?["bundle"] {
            guard said["name"]?.stringValue == bundle, said["version"]?.stringValue == version.number else {
                throw BundleError(
                    .wrongManifest, "\(file) was signed as another bundle than \(bundle) \(version.number)")
            }
        }
        return Wanted(sha256: target.sha256.hex, length: target.length)
    }

    private func place(of wanted: Wanted) -> String { "\(downloads)/\(wanted.sha256)" }

    /// Opens the file that something is fetched into, with room for all of it.
    /// - Returns: how much of it is there already.
    func openDownload(_ wanted: Wanted, keeping others: Set<String>) throws(BundleError) -> (
        file: Int32, offset: Int
    ) {
        removeArchives(but: others.union([wanted.sha256]))
        try store.makeRoom(bytes: wanted.length)
        return try BundleError.system { () throws(SystemError) in
            try PartialFile.open(place(of: wanted), length: wanted.length)
        }
    }

    private func removeArchives(but kept: Set<String>) {
        for name in (try? SystemCall.names(inDirectory: downloads)) ?? []
        where name.utf8.count == 64 && !kept.contains(name) {
            try? SystemCall.removeFile("\(downloads)/\(name)")
        }
    }

    /// Whether what was fetched is what was wanted; what is not goes.
    func isRight(_ wanted: Wanted) throws(BundleError) -> Bool {
        let path = place(of: wanted)
        let file = try BundleError.system { () throws(SystemError) in try SystemCall.open(path, .readOnly) }
        let found = try BundleArchive.digest(of: file.rawValue)
        if found.length == wanted.length, found.sha256.hex == wanted.sha256 { return true }
        try? SystemCall.removeFile(path)
        return false
    }

    // MARK: Metadata

    static let metadata = "targets.json"
    private static let nextMetadata = "targets.new"
    static let longestMetadata = 4 << 20

    /// Opens the file that the metadata are fetched into.
    func openMetadata() throws(BundleError) -> Int32 {
        try BundleError.system { () throws(SystemError) in
            let path = "\(downloads)/\(Self.nextMetadata)"
            let file = try SystemCall.open(path, [.readWrite, .create, .noFollow], permissions: 0o600)
            try SystemCall.truncate(file.rawValue, to: 0)
            return file.release()
        }
    }

    /// Takes what was fetched in the place of the former metadata, unless it is older or not signed as it has to be.
    func acceptMetadata() throws(BundleError) {
        let next = "\(downloads)/\(Self.nextMetadata)"
        let bytes = try BundleError.system { () throws(SystemError) in
            try SystemCall.readFile(next, limit: Self.longestMetadata)
        }
        let root = try trustedRoot()
        let new = try BundleError.trust { () throws(TrustError) in try root.targets(bytes, at: Self.now) }
        if let former = try? SystemCall.readFile("\(downloads)/\(Self.metadata)", limit: Self.longestMetadata),
            let known = try? root.targets(former, at: nil), known.header.version > new.header.version
        {
            throw BundleError(
                .olderMetadata,
                "central has version \(new.header.version) of targets.json, and this device has seen \(known.header.version)"
            )
        }
        try BundleError.system { () throws(SystemError) in
            let file = try SystemCall.open(next, .readOnly)
            try SystemCall.synchronize(file.rawValue)
            try SystemCall.rename(next, to: "\(downloads)/\(Self.metadata)")
        }
    }

    private static var now: ExpiryTime { ExpiryTime(seconds: WallClock.earliest()) }

    private func trustedRoot() throws(BundleError) -> TrustedRoot {
        let bytes = try rootBytes()
        return try BundleError.trust { () throws(TrustError) in try TrustedRoot(trusting: bytes) }
    }

    private func rootBytes() throws(BundleError) -> [UInt8] {
        do throws(SystemError) {
            return try SystemCall.readFile(settings.trustedRoot, limit: Self.longestMetadata)
        } catch {
            throw BundleError(
                .noTrust,
                "the trusted root \(settings.trustedRoot) cannot be read: \(error.message); "
                    + "holdfast bundle root makes one, and its place is [deployment] trusted_root")
        }
    }

    /// By the metadata that were accepted last.
    private func admission() throws(BundleError) -> BundleAdmission {
        let targets: [UInt8]
        do throws(SystemError) {
            targets = try SystemCall.readFile("\(downloads)/\(Self.metadata)", limit: Self.longestMetadata)
        } catch {
            guard error.isNotFound else { throw BundleError(error) }
            throw BundleError(.noTrust, "there is no targets.json that says what may run")
        }
        return try BundleAdmission(root: try rootBytes(), targets: targets, at: Self.now)
    }

    // MARK: From an archive to a version

    /// Signature and hash of an archive that was fetched, and whether it is what was asked for.
    func verify(_ bundle: String, _ version: BundleVersion, file: String?) throws(BundleError) {
        if try store.has(bundle, version.identifier) { return }
        guard let file else { return }
        let path = place(of: try wanted(bundle, version, file: file))
        let descriptor = SharedDescriptor(
            try BundleError.system { () throws(SystemError) in try SystemCall.open(path, [.readOnly, .noFollow]) })
        do throws(BundleError) {
            let archive = try admission().open(file, descriptor.rawValue ?? -1)
            try check(archive.manifest, bundle, version)
            archives[version.identifier] = (archive, descriptor)
        } catch {
            // It would not get any better.
            try? SystemCall.removeFile(path)
            throw error
        }
    }

    private func check(_ manifest: BundleManifest, _ bundle: String, _ version: BundleVersion) throws(BundleError) {
        guard manifest.name == bundle, manifest.identifier == version.identifier else {
            throw BundleError(
                .wrongManifest, "it is \(manifest.name) \(manifest.identifier), and not \(bundle) \(version)")
        }
        guard manifest.kind == .application else {
            throw BundleError(.wrongDevice, "it is a bundle of the kind \(manifest.kind.rawValue)")
        }
        try manifest.requirements.check(hardware: settings.hardware)
    }

    /// - Returns: what the version asks for.
    func unpack(_ bundle: String, _ version: BundleVersion) throws(BundleError) -> VersionTerms {
        if let (archive, file) = archives.removeValue(forKey: version.identifier) {
            defer { file.close() }
            try store.stage(archive)
        }
        let manifest = try store.manifest(of: bundle, version.identifier)
        try check(manifest, bundle, version)
        return VersionTerms(manifest)
    }

    func checkTree(_ bundle: String, _ version: BundleVersion) throws(BundleError) {
        verified[bundle] = try store.verifyTree(bundle, version.identifier)
    }

    /// - Parameter version: one that `checkTree` has found right just before; `nil` for none.
    func switchTo(_ bundle: String, _ version: BundleVersion?) throws(BundleError) {
        guard let version else { return try store.deactivate(bundle) }
        guard let ready = verified.removeValue(forKey: bundle), ready.identifier == version.identifier else {
            throw BundleError(.damagedVersion, "\(version) was not checked just before")
        }
        try store.activate(ready)
    }

    /// Its test of itself, if it has one, and the folder of its files.
    func selfTest(_ bundle: String, _ version: BundleVersion) throws(BundleError) -> HealthContract.SelfTest? {
        guard var test = try store.manifest(of: bundle, version.identifier).health.selfTest else { return nil }
        let folder = "\(settings.store)/\(bundle)/versions/\(version.identifier)/files"
        test.command = test.command.map { $0.replacing(BundleTree.placeholder, with: folder) }
        return test
    }

    func contract(_ bundle: String, _ version: BundleVersion) throws(BundleError) -> BundleContract {
        let manifest = try store.manifest(of: bundle, version.identifier)
        return BundleContract(
            bundle: bundle, workers: manifest.workers.compactMap { $0["name"]?.stringValue },
            probes: manifest.health.probes)
    }

    // MARK: Afterwards

    func markGood(_ versions: [BundleVersion], of bundle: String) throws(BundleError) {
        try store.markGood(Set(versions.map(\.identifier)), of: bundle)
    }

    /// Removes what nobody goes back to, but nothing that is newer than what runs: somebody may have brought it for later.
    /// - Parameter archives: those in use; all others go. `nil` keeps all.
    func collect(
        _ bundle: String, keeping kept: Set<BundleVersion>, archives: Set<String>?
    ) throws(BundleError) {
        if let archives { removeArchives(but: archives) }
        let versions = try store.versions(of: bundle)
        guard let current = versions.first(where: \.isCurrent) else { return }
        let names = Set(kept.map(\.identifier))
        for version in versions
        where !version.isCurrent && !names.contains(version.identifier)
            && version.manifest.release <= current.manifest.release
        {
            do throws(BundleError) { try store.remove(bundle, version.identifier) } catch {
                guard error.code == .isNeeded else { throw error }
            }
        }
        _ = try store.collectGarbage()
    }
}

/// What is watched of a version while it has to prove itself.
struct BundleContract: Equatable, Sendable {
    var bundle: String
    var workers: [String]
    /// Workers each of whose probes has to pass.
    var probes: [String]
}

extension VersionTerms {
    init(_ manifest: BundleManifest) {
        self.init(
            probation: manifest.health.probation, readyWithin: manifest.health.ready,
            selfTestWithin: manifest.health.selfTest?.timeout, isReversible: manifest.data.isReversible)
    }
}

extension BundleError.Code {
    /// Somebody hands out what was replaced long ago.
    static let olderMetadata = BundleError.Code("rollback")
    /// The device was not told whom to believe.
    static let noTrust = BundleError.Code("no-trust")
}
