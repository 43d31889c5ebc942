/// How many workers are in which state, what needs attention last: for the one line that sums a runtime up.
package struct StateCounts: Equatable, Sendable {
    package var total: Int
    package var counts: [(state: String, count: Int)]

    private static let order = [
        "ready", "running", "starting", "waiting", "finished", "stopped", "stopping", "paused", "held", "backing-off",
        "failed",
    ]

    /// - Parameter states: of the workers, as in `WorkerReport`. Such as a newer runtime may add come last.
    package init(_ states: some Sequence<String>) {
        var numbers: [String: Int] = [:]
        for state in states { numbers[state, default: 0] += 1 }
        total = numbers.values.reduce(0, +)
        let known = Self.order.filter { numbers[$0] != nil }
        let unknown = numbers.keys.filter { !Self.order.contains($0) }.sorted()
        counts = (known + unknown).map { (state: $0, count: numbers[$0, default: 0]) }
    }

    /// "12 workers: 10 ready, 1 backing off, 1 failed".
    /// - Parameter part: how a state with its count is put, for those who colour it.
    package func sentence(_ part: (_ state: String, _ count: Int) -> String = { "\($1) \(Self.words($0))" }) -> String {
        guard total > 0 else { return "no workers" }
        let subject = total == 1 ? "1 worker" : "\(total) workers"
        return "\(subject): \(counts.map { part($0.state, $0.count) }.joined(separator: ", "))"
    }

    /// A state in words.
    package static func words(_ state: String) -> String {
        state == "backing-off" ? "backing off" : state
    }

    package static func == (left: StateCounts, right: StateCounts) -> Bool {
        left.total == right.total && left.counts.elementsEqual(right.counts) { $0 == $1 }
    }
}
