/// The cycles in which supervisors are one another's parents.
struct SupervisorCycles {
    /// Each as the names on it, child before parent.
    private(set) var cycles: [[String]] = []

    /// - Parameter parents: the parent of each supervisor; one that is not a key itself ends the way up.
    init(parents: [String: String]) {
        var settled: Set<String> = []
        for start in parents.keys.sorted() {
            var way: [String] = []
            var index: [String: Int] = [:]
            var current = start
            while !settled.contains(current), let parent = parents[current] {
                if let first = index[current] {
                    cycles.append(Array(way[first...]))
                    break
                }
                index[current] = way.count
                way.append(current)
                current = parent
            }
            settled.formUnion(way)
        }
    }
}
