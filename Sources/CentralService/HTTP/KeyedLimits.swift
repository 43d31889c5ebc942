import Synchronization

/// How often each may ask: by address those who have not shown who they are, operators by their token.
final class KeyedLimits: Sendable {
    /// Kept at once; beyond that all are forgotten, which only helps them for a moment.
    private static let keys = 20_000

    private let limit: RateLimit
    private let budgets = Mutex<[String: RequestBudget]>([:])

    init(limit: RateLimit) { self.limit = limit }

    /// - Returns: `nil` when it may go on, else after how many seconds.
    func admit(_ key: String, at now: Int64) -> Int? {
        budgets.withLock { budgets in
            if budgets.count >= Self.keys { budgets = [:] }
            return budgets[key, default: RequestBudget(limit)].spend(at: now, limit)
        }
    }
}
