import CentralStore
import Synchronization

/// All devices, as far as their requests are judged by it, in memory: no request waits for the database to learn whose it
/// is.
final class DeviceRegistry: Sendable {
    struct Entry {
        var identity: DeviceIdentity
        /// In milliseconds since 1970; `nil` when it was not heard of since central's start.
        var lastSeen: Int64?
        var isSeenStored = true
        var budget: RequestBudget
    }

    private struct State {
        var entries: [String: Entry] = [:]
    }

    private let state = Mutex(State())
    private let limit: RateLimit

    init(limit: RateLimit) { self.limit = limit }

    /// Replaces everything.
    func load(_ identities: [DeviceIdentity]) {
        let entries = Dictionary(
            identities.map { ($0.id, Entry(identity: $0, budget: RequestBudget(limit))) }, uniquingKeysWith: { $1 })
        state.withLock { state in
            state.entries = entries
        }
    }

    subscript(id: String) -> DeviceIdentity? { state.withLock { $0.entries[id]?.identity } }

    var count: Int { state.withLock { $0.entries.count } }

    func lastSeen(_ id: String) -> Int64? { state.withLock { $0.entries[id]?.lastSeen } }

    func put(_ identity: DeviceIdentity) {
        state.withLock { state in
            if state.entries[identity.id] != nil {
                state.entries[identity.id]?.identity = identity
            } else {
                state.entries[identity.id] = Entry(identity: identity, budget: RequestBudget(limit))
            }
        }
    }

    func remove(_ id: String) { state.withLock { $0.entries[id] = nil } }

    /// Counts a request.
    /// - Returns: `nil` when it may go on, else after how many seconds one may.
    func admit(_ id: String, at now: Int64) -> Int? {
        state.withLock { state in
            state.entries[id]?.lastSeen = now
            state.entries[id]?.isSeenStored = false
            return state.entries[id]?.budget.spend(at: now, limit)
        }
    }

    /// Who was heard of since the last call, by the store's number.
    func takeSeen() -> [Int64: Int64] {
        state.withLock { state in
            var seen: [Int64: Int64] = [:]
            for (id, entry) in state.entries where !entry.isSeenStored {
                seen[entry.identity.number] = entry.lastSeen
                state.entries[id]?.isSeenStored = true
            }
            return seen
        }
    }
}
