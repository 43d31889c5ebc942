/// How much goes into a batch: what gets through in ten seconds, so that a link that is slow or dies every few seconds gets on.
package struct BatchSizer: Equatable, Sendable {
    package static let smallest = 4 * 1024
    package static let largest = 1 << 20
    /// One line of the 10,000 is the header; as many gaps as records may lie between them.
    package static let mostRecords = 4_999
    private static let first = 32 * 1024
    private static let goal: Duration = .seconds(10)

    /// Of records, as they are on disk.
    package private(set) var bytes = BatchSizer.first
    package private(set) var records = BatchSizer.mostRecords

    package init() {}

    package enum Event: Equatable, Sendable {
        case delivered(bytes: Int, took: Duration)
        /// Broken off, or no answer in time.
        case failed
        /// More than central takes. - records: that were in it.
        case tooLarge(records: Int)
    }

    package mutating func handle(_ event: Event) {
        switch event {
        case .delivered(let sent, let took):
            records = min(Self.mostRecords, records * 2)
            let target = Double(sent) * (Self.goal / max(took, .milliseconds(1)))
            // A small batch that was quick says little.
            guard sent * 2 >= bytes || target < Double(bytes) else { return }
            let next = min(max(target, Double(bytes / 2)), Double(bytes) * 2)
            bytes = min(max(Int(next), Self.smallest), Self.largest)
        case .failed:
            bytes = max(bytes / 2, Self.smallest)
        case .tooLarge(let count):
            // Records may be larger than the smallest batch; then only their number makes it smaller.
            if bytes == Self.smallest { records = max(1, min(records, count) / 2) }
            bytes = max(bytes / 2, Self.smallest)
        }
    }
}
