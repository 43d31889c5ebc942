package import ControlProtocol
package import Trust

/// manifest.json: what a bundle is, what is in it, and what becomes of it on a device. docs/bundle-format.md is normative.
package struct BundleManifest: Equatable, Sendable {
    /// The first entry of every bundle.
    package static let fileName = "manifest.json"
    /// Of the format.
    package static let format = 1

    package enum Kind: String, CaseIterable, Sendable {
        /// Workers of the user's.
        case application
        /// Holdfast itself.
        case runtime
    }

    package var name: String
    package var version: String
    package var kind: Kind
    /// Counts up with each release: a lower one is older, whatever the versions say.
    package var release: Int
    package var requirements: BundleRequirements
    package var files: [BundleFile]
    package var links: [BundleLink]
    /// The subtree: settings as the configuration has them.
    package var supervisors: [JSONObject]
    package var workers: [JSONObject]
    package var models: [BundleModel]
    package var health: HealthContract
    package var data: DataFormat
    /// Of the manifest's bytes: it names every file's hash, and so stands for the whole bundle.
    package var digest: SHA256Digest

    /// Of all files, in bytes.
    package var contentSize: Int { files.reduce(0) { $0 + $1.size } }

    /// What a version is called on a device: two builds of one version are two.
    package var identifier: String { "\(version)@\(digest.hex.prefix(16))" }
}

package struct BundleFile: Equatable, Sendable {
    package var path: String
    /// In bytes.
    package var size: Int
    package var isExecutable: Bool
    package var sha256: SHA256Digest

    package init(path: String, size: Int, isExecutable: Bool, sha256: SHA256Digest) {
        self.path = path
        self.size = size
        self.isExecutable = isExecutable
        self.sha256 = sha256
    }

    /// As the archive has it.
    package var mode: UInt32 { isExecutable ? 0o755 : 0o644 }
}

/// A symbolic link to a file of the same bundle.
package struct BundleLink: Equatable, Sendable {
    package var path: String
    package var target: String

    package init(path: String, target: String) {
        self.path = path
        self.target = target
    }
}

/// A model that comes with a bundle.
package struct BundleModel: Equatable, Sendable {
    package var name: String
    /// A file of the bundle.
    package var path: String
    /// The worker that serves it.
    package var worker: String?
}

/// What a version has to show before it is committed.
package struct HealthContract: Equatable, Sendable {
    /// By when every worker has to be ready.
    package var ready: Duration
    /// For how long it has to stay well after that.
    package var probation: Duration
    /// Workers each of whose probes has to have succeeded at the end of the probation: no answer is not success.
    package var probes: [String]
    /// A program that is run once all are ready, and has to end with 0 within its time.
    package var selfTest: SelfTest?

    package struct SelfTest: Equatable, Sendable {
        package var command: [String]
        package var timeout: Duration
    }
}

/// What a bundle does to the data of its workers.
package struct DataFormat: Equatable, Sendable {
    /// Counts up when the form of the data changes.
    package var format: Int
    /// Whether a version with a lower format can work with the data that this one leaves.
    package var isReversible: Bool
}
