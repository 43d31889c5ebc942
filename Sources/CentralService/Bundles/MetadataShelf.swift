import CentralStore
import NIOCore
import Synchronization
import Trust

/// The signed metadata that devices ask for, read once and kept: all of them may ask at the same moment.
final class MetadataShelf: Sendable {
    enum Name: String, CaseIterable, Sendable {
        case root = "root.json"
        case targets = "targets.json"
    }

    struct Entry: Sendable {
        let metadata: StoredMetadata
        let bytes: ByteBuffer
        /// What it names, unverified; of targets only.
        let files: [String: TargetFile]

        init(_ metadata: StoredMetadata) {
            self.metadata = metadata
            bytes = ByteBuffer(bytes: metadata.bytes)
            guard metadata.name == Name.targets.rawValue,
                let envelope = try? SignedEnvelope(parsing: metadata.bytes, limit: TargetsMetadata.largestFile),
                let targets = try? TargetsMetadata(unverified: envelope)
            else {
                files = [:]
                return
            }
            files = targets.files
        }
    }

    private let store: any CentralStore
    private let entries = Mutex<[Name: Entry]>([:])

    init(store: any CentralStore) { self.store = store }

    /// - Returns: `nil` when nobody has uploaded it.
    func entry(_ name: Name) async throws -> Entry? {
        if let known = entries.withLock({ $0[name] }) { return known }
        guard let metadata = try await store.metadata(name.rawValue) else { return nil }
        return keep(Entry(metadata), as: name)
    }

    func put(_ metadata: StoredMetadata, as name: Name) async throws -> Entry {
        try await store.put(metadata)
        return keep(Entry(metadata), as: name)
    }

    /// The newest stays, whoever comes last.
    private func keep(_ entry: Entry, as name: Name) -> Entry {
        entries.withLock { entries in
            if let known = entries[name], known.metadata.version > entry.metadata.version { return known }
            entries[name] = entry
            return entry
        }
    }
}
