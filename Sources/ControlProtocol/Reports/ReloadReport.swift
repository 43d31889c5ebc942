/// What a reload changed, by worker name: the reply of method Reload.
package struct ReloadReport: Equatable, Sendable {
    package var added: [String]
    package var removed: [String]
    /// Their process was replaced.
    package var restarted: [String]
    /// Their policy changed; the process stays.
    package var adjusted: [String]
    package var unchanged: [String]
    /// What this machine lacks for it, and what waits for the next start of the runtime.
    package var warnings: [String]

    package init(
        added: [String] = [], removed: [String] = [], restarted: [String] = [], adjusted: [String] = [],
        unchanged: [String] = [], warnings: [String] = []
    ) {
        self.added = added
        self.removed = removed
        self.restarted = restarted
        self.adjusted = adjusted
        self.unchanged = unchanged
        self.warnings = warnings
    }
}

extension ReloadReport: JSONConvertible {
    private enum Key: String {
        case added
        case removed
        case restarted
        case adjusted
        case unchanged
        case warnings
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            added: try json.required(Key.added),
            removed: try json.required(Key.removed),
            restarted: try json.required(Key.restarted),
            adjusted: try json.required(Key.adjusted),
            unchanged: try json.required(Key.unchanged),
            warnings: try json.optional(Key.warnings) ?? [])
    }

    package var json: JSONValue {
        .object([
            Key.added: added,
            .removed: removed,
            .restarted: restarted,
            .adjusted: adjusted,
            .unchanged: unchanged,
            .warnings: warnings,
        ])
    }
}
