/// How a spool fares.
package struct SpoolStatistics: Equatable, Sendable {
    package var id: SpoolID
    /// Of all files, in bytes.
    package var used: Int
    package var quota: Int
    package var segments: Int
    /// Central has everything up to this number.
    package var acknowledged: UInt64
    /// The last number that survives a power cut, and the last that was given out.
    package var synced: UInt64
    package var written: UInt64
    /// Records, over the life of the spool.
    package var dropped: UInt64
    package var expired: UInt64
    package var lost: UInt64
    /// Appends, since it was opened.
    package var refused: UInt64
}

extension Spool {
    package var statistics: SpoolStatistics {
        SpoolStatistics(
            id: id, used: used, quota: settings.quota, segments: segments.count, acknowledged: acknowledged,
            synced: synced, written: written, dropped: cursor.dropped, expired: cursor.expired, lost: cursor.lost,
            refused: refused)
    }
}
