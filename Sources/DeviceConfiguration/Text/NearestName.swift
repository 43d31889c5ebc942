/// "Did you mean ...?": the candidate that a mistyped name was probably meant to be.
package enum NearestName {
    /// The closest candidate, or `nil` when none is close enough to be worth a guess. Ties go to the first.
    package static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        // Longer ones are no typing mistakes, and the distance costs their product.
        guard name.utf8.count <= 80 else { return nil }
        let tolerated = max(1, min(3, name.utf8.count / 3))
        var best: (name: String, distance: Int)?
        for candidate in candidates where candidate != name {
            let distance = editDistance(name.lowercased(), candidate.lowercased())
            if distance <= tolerated, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other (optimal string
    /// alignment).
    static func editDistance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for i in left.indices {
            var current = [i + 1] + [Int](repeating: 0, count: right.count)
            for j in right.indices {
                let replaced = last[j] + (left[i] == right[j] ? 0 : 1)
                current[j + 1] = min(replaced, last[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    current[j + 1] = min(current[j + 1], beforeLast[j - 1] + 1)
                }
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
