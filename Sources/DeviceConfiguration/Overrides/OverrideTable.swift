/// What environment variables say about one table of the configuration.
struct OverrideTable: Sendable {
    struct Value: Sendable {
        var variable: String
        var node: TOMLNode
    }

    /// Whole values, by their keys.
    var values: [String: Value] = [:]
    /// Single entries of a value that is a table, by its key; in the order of the variables' names.
    var entries: [String: [(key: String, value: Value)]] = [:]
    /// Tables that stand once, by their names.
    var subtables: [String: OverrideTable] = [:]
    /// Tables that may stand several times, by their names, and then by their number, counted from 0 in the order of the
    /// files.
    var elements: [String: [Int: OverrideTable]] = [:]
}
