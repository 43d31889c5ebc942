package import ControlProtocol
import LinuxSystem
package import Trust

/// Lets bundles in that were signed: by keys that the device's root names, for exactly the bytes that are there.
package struct BundleAdmission {
    private let targets: TargetsMetadata

    /// - Parameters:
    ///   - root: as the device was given it.
    ///   - targets: as they came with the bundle.
    ///   - now: the earliest that it can be; `nil` where nobody knows, and then nothing expires.
    package init(root: [UInt8], targets: [UInt8], at now: ExpiryTime?) throws(BundleError) {
        let trusted = try Self.judge("the root") { () throws(TrustError) in try TrustedRoot(trusting: root) }
        self.targets = try Self.judge("the targets") { () throws(TrustError) in
            try trusted.targets(targets, at: now)
        }
    }

    /// What was signed under a name.
    package func target(_ name: String) throws(BundleError) -> TargetFile {
        try BundleError.trust { () throws(TrustError) in try targets.file(name) }
    }

    /// Opens a bundle whose bytes, all of them, are those that were signed. They are hashed before anything of them is looked
    /// into, and again while they are read.
    /// - Parameters:
    ///   - name: of the archive's file, under which it was signed.
    ///   - descriptor: of a regular file; stays the caller's, and open while the archive is in use.
    package func open(_ name: String, _ descriptor: Int32) throws(BundleError) -> BundleArchive {
        let target = try target(name)
        let status = try BundleError.system { () throws(SystemError) in try SystemCall.status(descriptor) }
        guard status.kind == .regular else { throw BundleError(.notABundle, "it is no regular file") }
        // Endless data show before they are read.
        guard status.size == target.length else {
            throw BundleError(
                .wrongLength,
                "it has \(status.size) bytes, and \(target.length) were signed: it is not whole, or not this one")
        }
        let found = try BundleArchive.digest(of: descriptor)
        try BundleError.trust { () throws(TrustError) in
            try target.check(length: found.length, sha256: found.sha256)
        }
        let archive = try BundleArchive(descriptor, expecting: target.sha256)
        let said = target.custom?["holdfast"]?["bundle"]
        guard let said, try Self.isSame(said, .object(archive.manifest.targetDescription)) else {
            throw BundleError(.wrongManifest, "what was signed of its manifest is not what stands in it")
        }
        return archive
    }

    private static func isSame(_ one: JSONValue, _ other: JSONValue) throws(BundleError) -> Bool {
        try BundleError.trust { () throws(TrustError) in
            try CanonicalJSON.encode(one) == CanonicalJSON.encode(other)
        }
    }

    private static func judge<Value>(
        _ what: String, _ body: () throws(TrustError) -> Value
    ) throws(BundleError) -> Value {
        do throws(TrustError) {
            return try body()
        } catch {
            throw BundleError(TrustError(error.code, "\(what): \(error.message)"))
        }
    }
}

extension BundleManifest {
    /// What stands as `custom.holdfast.bundle` beside a bundle's hash in signed metadata.
    package var targetDescription: JSONObject {
        var requires: JSONObject = [
            "hardware": requirements.hardware.json, "architecture": requirements.architectures.json,
        ]
        if let runtime = requirements.runtime { requires["runtime"] = .string(runtime.description) }
        return [
            "name": .string(name), "version": .string(version), "kind": .string(kind.rawValue), "release": release.json,
            "requires": .object(requires),
            "data": ["format": data.format.json, "reversible": .bool(data.isReversible)],
        ]
    }

    /// How a bundle is signed.
    /// - Parameter descriptor: of the archive, which has to be one.
    package static func target(for descriptor: Int32) throws(BundleError) -> (
        manifest: BundleManifest, file: TargetFile
    ) {
        let found = try BundleArchive.digest(of: descriptor)
        let archive = try BundleArchive(descriptor, expecting: found.sha256)
        while try archive.next() != nil {}
        let custom: JSONObject = ["holdfast": ["bundle": .object(archive.manifest.targetDescription)]]
        return (
            archive.manifest, TargetFile(length: found.length, sha256: found.sha256, custom: custom)
        )
    }
}

extension BundleError.Code {
    static let wrongLength = BundleError.Code(TrustError.Code.wrongLength.rawValue)
    /// What was signed of the manifest differs from it.
    package static let wrongManifest = BundleError.Code("wrong-manifest")
}
