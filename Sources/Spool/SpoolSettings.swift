/// What a spool may take, and what it does when it is full.
package struct SpoolSettings: Equatable, Sendable {
    package enum FullPolicy: String, CaseIterable, Sendable {
        /// The oldest segment goes, and its records are counted.
        case dropOldest = "drop-oldest"
        /// The append is refused.
        case refuse
    }

    /// All files of the spool together, in bytes.
    package var quota: Int
    package var whenFull: FullPolicy
    /// Records older than this are dropped, a segment at a time; `nil` keeps them.
    package var timeToLive: Duration?

    package static let smallestQuota = 256 * 1024
    private static let largestSegment = 4 << 20

    /// - Parameter quota: at least `smallestQuota`.
    package init(quota: Int, whenFull: FullPolicy, timeToLive: Duration? = nil) {
        self.quota = max(quota, SpoolSettings.smallestQuota)
        self.whenFull = whenFull
        self.timeToLive = timeToLive
    }

    /// What a segment has at most, unless a single frame is larger.
    var segmentSize: Int { min(quota / 8, SpoolSettings.largestSegment) }
    /// What a record may have at most: two of them fit the quota whatever else there is.
    var largestRecord: Int { min(Frame.largestRecord, quota / 4) }
}
