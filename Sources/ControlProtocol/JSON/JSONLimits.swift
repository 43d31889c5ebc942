/// What a peer may send at most. Checked before a byte is parsed.
package struct JSONLimits: Equatable, Sendable {
    /// Of the text.
    package var maximumBytes: Int
    /// Of lists and objects within each other; a bare list counts as one.
    package var maximumDepth: Int

    package init(maximumBytes: Int, maximumDepth: Int) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }

    /// For calls from clients, and packets between Holdfast's own processes (at most 64 KiB).
    package static let request = JSONLimits(maximumBytes: 64 * 1024, maximumDepth: 16)
    /// For replies: the status of 10,000 workers fits.
    package static let reply = JSONLimits(maximumBytes: 16 * 1024 * 1024, maximumDepth: 32)
}
