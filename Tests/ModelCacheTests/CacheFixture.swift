import BundleStore
import LinuxSystem
import StoreSimulation
import Testing
import Trust

@testable import ModelCache

/// Some models, and how they come into a cache without an uplink.
enum CacheFixture {
    static let budget = 1000

    struct Model {
        let content: [UInt8]
        let sha256: String

        init(_ seed: UInt8, _ length: Int = 300) throws {
            content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) &+ seed }
            sha256 = try SHA256Digest(of: content).hex
        }
    }

    /// What an uplink leaves.
    static func write(_ content: [UInt8], as model: Model, to files: some StoreFiles) throws(SystemError) {
        let path = ModelCache.path(.partial, model.sha256)
        if try files.status(path) != nil { try files.remove(path) }
        try files.create(path, size: content.count)
        let result = content.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try files.append(bytes) }
        }
        try result.get()
        try files.close(permissions: 0o600)
    }

    static func fetch(_ model: Model, into cache: ModelCache, priority: Int = 0) throws {
        guard try !cache.has(model.sha256) else { return try cache.use(model.sha256) }
        try cache.makeRoom(for: model.sha256, length: model.content.count, priority: priority)
        try ModelCacheError.system { () throws(SystemError) in try write(model.content, as: model, to: cache.files) }
        try cache.adopt(model.sha256, length: model.content.count, priority: priority)
    }
}
