package import BundleFormat

/// A version of a bundle in a store: complete, whatever else is the case.
package struct StoredVersion: Equatable, Sendable {
    package var bundle: String
    /// VERSION@HASH.
    package var identifier: String
    package var manifest: BundleManifest
    package var isCurrent: Bool
    /// It has been committed once: it is something to go back to.
    package var isGood: Bool
    /// What its removal would free, in bytes.
    package var ownSize: Int
}

/// A version whose every byte was read from the disk and found right. Only the store makes these.
package struct VerifiedVersion: Equatable, Sendable {
    package let bundle: String
    package let identifier: String
    package let manifest: BundleManifest

    init(bundle: String, identifier: String, manifest: BundleManifest) {
        self.bundle = bundle
        self.identifier = identifier
        self.manifest = manifest
    }
}

/// What staging has done.
package struct StagingReport: Equatable, Sendable {
    package var bundle: String
    package var identifier: String
    /// Nothing was written, for the version was there.
    package var wasThere = false
    /// Files, and bytes of them, that were new to the store, and that it had.
    package var newFiles = 0
    package var newBytes = 0
    package var sharedFiles = 0
    package var sharedBytes = 0
}

/// What a store may take.
package struct StoreSettings: Equatable, Sendable {
    /// Of all content together, in bytes.
    package var quota: Int
    /// So many good versions of each bundle stay, the current one among them.
    package var keptVersions: Int
    /// What is left free on the disk, in bytes.
    package var margin: Int

    package init(quota: Int = .max, keptVersions: Int = 2, margin: Int = 4 << 20) {
        self.quota = quota
        self.keptVersions = max(2, keptVersions)
        self.margin = margin
    }
}

extension BundleError.Code {
    /// The store has no such bundle or version.
    package static let notFound = BundleError.Code("not-found")
    /// Neither the disk nor the quota has room.
    package static let noSpace = BundleError.Code("no-space")
    /// What is current stays.
    package static let isCurrent = BundleError.Code("is-current")
    /// Too few versions to go back to would be left.
    package static let isNeeded = BundleError.Code("is-needed")
    /// What is on the disk is not what was written there.
    package static let damagedVersion = BundleError.Code("damaged-version")
}
