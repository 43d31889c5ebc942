/// Which models go to make room.
package struct EvictionPlan: Equatable, Sendable {
    package struct Candidate: Equatable, Sendable {
        package var sha256: String
        package var size: Int
        package var priority: Int
        /// The greater, the later it was used.
        package var turn: Int
        /// Pinned, served, or being tried.
        package var isHeld: Bool

        package init(_ sha256: String, size: Int, priority: Int, turn: Int, isHeld: Bool) {
            self.sha256 = sha256
            self.size = size
            self.priority = priority
            self.turn = turn
            self.isHeld = isHeld
        }
    }

    /// In the order in which they go.
    package var evicted: [String]

    /// - Parameters:
    ///   - missing: so many bytes have to become free.
    ///   - priority: of what needs the room; what has a higher one stays.
    /// - Returns: `nil` when there would not be enough.
    package init?(_ candidates: [Candidate], missing: Int, for priority: Int) {
        evicted = []
        var missing = missing
        let free = candidates.filter { !$0.isHeld && $0.priority <= priority }
        let order = free.sorted { ($0.priority, $0.turn, $0.sha256) < ($1.priority, $1.turn, $1.sha256) }
        for candidate in order {
            if missing <= 0 { break }
            evicted.append(candidate.sha256)
            missing -= candidate.size
        }
        if missing > 0 { return nil }
    }
}
