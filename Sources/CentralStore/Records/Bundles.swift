package import ControlProtocol

/// An archive that devices can be given. Its bytes lie beside the database, under their hash.
package struct StoredBundle: Equatable, Sendable {
    package var name: String
    /// `VERSION@HASH`: two builds of one version are two.
    package var version: String
    /// The archive's name, under which it was signed.
    package var file: String
    /// In bytes.
    package var size: Int
    /// 64 hexadecimal digits, of the archive.
    package var sha256: String
    /// What its manifest says of it.
    package var description: JSONObject
    /// The name of the operator's token.
    package var uploadedBy: String
    package var uploadedAt: Int64

    package init(
        name: String, version: String, file: String, size: Int, sha256: String, description: JSONObject,
        uploadedBy: String, uploadedAt: Int64
    ) {
        self.name = name
        self.version = version
        self.file = file
        self.size = size
        self.sha256 = sha256
        self.description = description
        self.uploadedBy = uploadedBy
        self.uploadedAt = uploadedAt
    }
}

/// An archive of which a part may be there already.
package struct StoredUpload: Equatable, Sendable {
    package var sha256: String
    package var file: String
    package var size: Int
    package var startedBy: String
    package var startedAt: Int64

    package init(sha256: String, file: String, size: Int, startedBy: String, startedAt: Int64) {
        self.sha256 = sha256
        self.file = file
        self.size = size
        self.startedBy = startedBy
        self.startedAt = startedAt
    }
}

/// `targets.json` or `root.json`, byte for byte as it was uploaded.
package struct StoredMetadata: Equatable, Sendable {
    package var name: String
    /// Counts up with each change.
    package var version: Int
    package var bytes: [UInt8]
    /// SHA-256 of the bytes, as 64 hexadecimal digits.
    package var sha256: String
    /// The same of what is signed in them: more signatures do not change it.
    package var contentSHA256: String
    package var uploadedBy: String
    package var uploadedAt: Int64

    package init(
        name: String, version: Int, bytes: [UInt8], sha256: String, contentSHA256: String, uploadedBy: String,
        uploadedAt: Int64
    ) {
        self.name = name
        self.version = version
        self.bytes = bytes
        self.sha256 = sha256
        self.contentSHA256 = contentSHA256
        self.uploadedBy = uploadedBy
        self.uploadedAt = uploadedAt
    }
}

/// Which bundles; `nil` is any.
package struct BundleFilter: Equatable, Sendable {
    package var name: String?
    /// Those that were uploaded earlier than the one with this hash.
    package var before: String?
    package var limit: Int

    package init(name: String? = nil, before: String? = nil, limit: Int = 100) {
        self.name = name
        self.before = before
        self.limit = limit
    }
}
