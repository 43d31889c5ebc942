package import ControlProtocol

/// A file that may be used: its length and hash, and what its publisher says of it.
package struct TargetFile: Equatable, Sendable {
    /// In bytes.
    package var length: Int
    package var sha256: SHA256Digest
    /// Whatever the publisher has put there.
    package var custom: JSONObject?

    private enum Key: String { case length, hashes, sha256, custom }

    package init(length: Int, sha256: SHA256Digest, custom: JSONObject? = nil) {
        self.length = length
        self.sha256 = sha256
        self.custom = custom
    }

    init(json: JSONValue) throws(TrustError) {
        let hash: String?
        do throws(JSONError) {
            length = try json.required(Key.length)
            let hashes: JSONValue = try json.required(Key.hashes)
            hash = try hashes.optional(Key.sha256)
            custom = try json.optional(Key.custom)
        } catch {
            throw TrustError(error)
        }
        guard length >= 0 else { throw TrustError(.invalidValue, "its length is \(length)") }
        // Others may stand beside it, and are not looked at: the weakest that was accepted would be what it is worth.
        guard let hash else { throw TrustError(.weakHash, "it has no SHA-256, and nothing weaker is accepted") }
        guard let digest = SHA256Digest(hex: hash) else {
            throw TrustError(.invalidValue, "its SHA-256 is not 64 hexadecimal digits in lower case")
        }
        sha256 = digest
    }

    package var json: JSONValue {
        var object: JSONObject = [
            Key.length.rawValue: length.json, Key.hashes.rawValue: .object([Key.sha256: sha256.hex]),
        ]
        if let custom { object[Key.custom.rawValue] = .object(custom) }
        return .object(object)
    }

    /// Whether a file is this one.
    package func check(length found: Int, sha256 digest: SHA256Digest) throws(TrustError) {
        guard found == length else {
            throw TrustError(.wrongLength, "it has \(found) bytes, and the signed metadata say \(length)")
        }
        guard digest == sha256 else {
            throw TrustError(.wrongHash, "its content is not what was signed (SHA-256 \(digest))")
        }
    }
}

/// targets.json: which files may be used (specification, section 4.5).
package struct TargetsMetadata: Equatable, Sendable {
    package var header: MetadataHeader
    package private(set) var files: [String: TargetFile]
    /// What else is signed there (delegations, and what a newer version adds), kept as it is.
    private var others: [JSONObject.Member]

    /// Of a targets file, in bytes.
    package static let largestFile = 8 << 20
    private static let longestName = 1024
    static let type = "targets"

    private enum Key: String { case targets }

    package init(version: Int, expires: ExpiryTime) {
        header = MetadataHeader(type: Self.type, version: version, expires: expires)
        files = [:]
        others = []
    }

    /// Reads metadata to change and sign them again, without verifying anything.
    package init(unverified envelope: SignedEnvelope) throws(TrustError) {
        try self.init(json: envelope.signed)
    }

    init(json: JSONValue) throws(TrustError) {
        header = try MetadataHeader(json: json, type: Self.type)
        let list: JSONObject
        do throws(JSONError) { list = try json.required(Key.targets) } catch { throw TrustError(error) }
        files = [:]
        for member in list.members {
            guard !member.key.isEmpty, member.key.utf8.count <= Self.longestName, files[member.key] == nil else {
                throw TrustError(.invalidValue, "targets: a name is empty, too long, or stands there twice")
            }
            do throws(TrustError) {
                files[member.key] = try TargetFile(json: member.value)
            } catch {
                throw TrustError(error.code, "targets: \(member.key): \(error.message)")
            }
        }
        let known = MetadataHeader.Key.allCases.map(\.rawValue) + [Key.targets.rawValue]
        others = json.objectValue?.members.filter { !known.contains($0.key) } ?? []
    }

    package var json: JSONValue {
        let named = files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let list = JSONObject(named.map { JSONObject.Member(key: $0.key, value: $0.value.json) })
        let targets = JSONObject.Member(key: Key.targets.rawValue, value: .object(list))
        return .object(JSONObject(header.members + [targets] + others))
    }

    /// A file by its name.
    package func file(_ name: String) throws(TrustError) -> TargetFile {
        guard let file = files[name] else {
            throw TrustError(
                .unknownTarget, "the signed metadata name no \(name): it was not signed, or under another name")
        }
        return file
    }

    /// Adds a file, or replaces the one of that name.
    package mutating func set(_ name: String, _ file: TargetFile) { files[name] = file }
}
