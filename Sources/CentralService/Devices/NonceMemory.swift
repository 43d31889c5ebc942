import FleetAPI
import Synchronization

/// Which nonces were used, for as long as a signature with them would still be taken.
final class NonceMemory: Sendable {
    /// How far `created` may be off.
    static let window: Int64 = 300
    private static let bucketSeconds: Int64 = 60

    private struct Nonce: Hashable {
        var key: UInt64
        var high: UInt64
        var low: UInt64
    }

    private let buckets = Mutex<[Int64: Set<Nonce>]>([:])

    /// Notes a nonce.
    /// - Parameters:
    ///   - key: stands for the key it was used with.
    ///   - nonce: 16 bytes.
    ///   - created: of the signature, within the window of `now`; both in seconds.
    /// - Returns: whether it was new.
    func take(_ nonce: [UInt8], key: UInt64, created: Int64, now: Int64) -> Bool {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        let nonce = Nonce(key: key, high: number(nonce[..<8]), low: number(nonce[8...]))
        return buckets.withLock { buckets in
            let oldest = (now - Self.window) / Self.bucketSeconds
            for bucket in buckets.keys where bucket < oldest { buckets[bucket] = nil }
            return buckets[created / Self.bucketSeconds, default: []].insert(nonce).inserted
        }
    }

    var count: Int { buckets.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}
