/// A curve of one line, of block elements (Unicode, U+2581 to U+2588).
enum Sparkline {
    private static let blocks = Array("▁▂▃▄▅▆▇█")

    /// - Parameter values: `nil` where there is none.
    static func text(_ values: [Double?]) -> String {
        let known = values.compactMap { $0 }.filter(\.isFinite)
        guard let least = known.min(), let most = known.max() else {
            return String(repeating: " ", count: values.count)
        }
        return String(
            values.map { value -> Character in
                guard let value, value.isFinite else { return " " }
                guard most > least else { return blocks[3] }
                let share = (value - least) / (most - least)
                return blocks[min(blocks.count - 1, Int(share * Double(blocks.count)))]
            })
    }
}
