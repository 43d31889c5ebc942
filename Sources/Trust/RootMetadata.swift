package import ControlProtocol

/// The roles that a root names keys for.
package enum TopLevelRole: String, CaseIterable, Sendable {
    case root, timestamp, snapshot, targets
}

/// root.json: who may sign what (specification, section 4.3).
package struct RootMetadata: Equatable, Sendable {
    package var header: MetadataHeader
    package var hasConsistentSnapshots: Bool
    package var keys: [KeyID: PublicKey]
    package private(set) var roles: [TopLevelRole: Role]

    package struct Role: Equatable, Sendable {
        package var keyIDs: [KeyID]
        package var threshold: Int

        package init(keyIDs: [KeyID], threshold: Int) {
            self.keyIDs = keyIDs
            self.threshold = threshold
        }
    }

    /// Of a root file, in bytes.
    package static let largestFile = 512 * 1024
    private static let mostKeys = 256
    static let type = "root"

    private enum Key: String {
        case keys, roles, keyIDs = "keyids", threshold, consistentSnapshot = "consistent_snapshot"
    }

    package init(
        header: MetadataHeader, keys: [KeyID: PublicKey], roles: [TopLevelRole: Role],
        hasConsistentSnapshots: Bool = true
    ) {
        self.header = header
        self.keys = keys
        self.roles = roles
        self.hasConsistentSnapshots = hasConsistentSnapshots
    }

    /// Not verified by this.
    init(json: JSONValue) throws(TrustError) {
        header = try MetadataHeader(json: json, type: Self.type)
        do throws(JSONError) {
            hasConsistentSnapshots = try json.optional(Key.consistentSnapshot) ?? false
        } catch {
            throw TrustError(error)
        }
        keys = try Self.keys(json)
        roles = try Self.roles(json)
    }

    private static func keys(_ json: JSONValue) throws(TrustError) -> [KeyID: PublicKey] {
        let list: JSONObject
        do throws(JSONError) { list = try json.required(Key.keys) } catch { throw TrustError(error) }
        guard list.members.count <= mostKeys else {
            throw TrustError(.invalidValue, "keys: there are more than \(mostKeys)")
        }
        var keys: [KeyID: PublicKey] = [:]
        for member in list.members {
            do throws(TrustError) {
                keys[member.key] = try PublicKey(json: member.value)
            } catch {
                throw TrustError(error.code, "keys.\(member.key.prefix(16)): \(error.message)")
            }
        }
        guard keys.count == list.members.count else {
            throw TrustError(.repeatedKey, "keys: one name stands there twice")
        }
        return keys
    }

    private static func roles(_ json: JSONValue) throws(TrustError) -> [TopLevelRole: Role] {
        var roles: [TopLevelRole: Role] = [:]
        for role in TopLevelRole.allCases {
            do throws(JSONError) {
                let list: JSONValue = try json.required(Key.roles)
                let entry: JSONValue = try list.required(role)
                roles[role] = Role(
                    keyIDs: try entry.required(Key.keyIDs), threshold: try entry.required(Key.threshold))
            } catch {
                throw TrustError(error)
            }
        }
        for (role, entry) in roles {
            guard entry.threshold >= 1 else {
                throw TrustError(
                    .invalidValue, "roles.\(role.rawValue).threshold: it is \(entry.threshold); 1 at least")
            }
            guard Set(entry.keyIDs).count == entry.keyIDs.count else {
                throw TrustError(.repeatedKey, "roles.\(role.rawValue).keyids: one key stands there twice")
            }
        }
        return roles
    }

    package var json: JSONValue {
        let named = keys.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let list = JSONObject(named.map { JSONObject.Member(key: $0.key, value: $0.value.json) })
        let table = TopLevelRole.allCases.map { role in
            let entry = roles[role] ?? Role(keyIDs: [], threshold: 1)
            return JSONObject.Member(
                key: role.rawValue, value: .object([Key.keyIDs: entry.keyIDs, .threshold: entry.threshold]))
        }
        let members =
            header.members + [
                JSONObject.Member(key: Key.consistentSnapshot.rawValue, value: .bool(hasConsistentSnapshots)),
                JSONObject.Member(key: Key.keys.rawValue, value: .object(list)),
                JSONObject.Member(key: Key.roles.rawValue, value: .object(JSONObject(table))),
            ]
        return .object(JSONObject(members))
    }

    /// Who may sign for a role.
    package func ring(_ role: TopLevelRole) -> KeyRing {
        let entry = roles[role] ?? Role(keyIDs: [], threshold: 1)
        return KeyRing(keyIDs: entry.keyIDs, threshold: entry.threshold, keys: keys)
    }
}

/// A root that a device was given by whoever set it up, and everything that is believed because of it.
package struct TrustedRoot: Equatable, Sendable {
    package let metadata: RootMetadata

    /// Takes a root that came by a way that is trusted. It has to be signed by itself, so that a damaged file is none.
    package init(trusting bytes: [UInt8]) throws(TrustError) {
        let envelope = try SignedEnvelope(parsing: bytes, limit: RootMetadata.largestFile)
        let metadata = try RootMetadata(json: envelope.signed)
        try metadata.ring(.root).verify(envelope)
        self.metadata = metadata
    }

    /// Targets metadata that the root's keys have signed.
    /// - Parameter now: see `MetadataHeader.checkExpiry`; both the root and the targets have to hold.
    package func targets(_ bytes: [UInt8], at now: ExpiryTime?) throws(TrustError) -> TargetsMetadata {
        let envelope = try SignedEnvelope(parsing: bytes, limit: TargetsMetadata.largestFile)
        try metadata.ring(.targets).verify(envelope)
        let targets = try TargetsMetadata(json: envelope.signed)
        try metadata.header.checkExpiry(at: now)
        try targets.header.checkExpiry(at: now)
        return targets
    }
}
