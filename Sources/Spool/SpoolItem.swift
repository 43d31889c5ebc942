/// What comes out of a spool, in the order of the numbers.
package enum SpoolItem: Equatable, Sendable {
    case record(SpoolRecord)
    /// Numbers whose records are gone: dropped, expired, or lost to damage.
    case gap(ClosedRange<UInt64>)

    package var lastSequence: UInt64 {
        switch self {
        case .record(let record): record.sequence
        case .gap(let range): range.upperBound
        }
    }
}

package struct SpoolRecord: Equatable, Sendable {
    package var sequence: UInt64
    /// When it was written, in milliseconds since 1970 by the device's clock.
    package var writtenAt: Int64
    package var bytes: [UInt8]

    package init(sequence: UInt64, writtenAt: Int64, bytes: [UInt8]) {
        self.sequence = sequence
        self.writtenAt = writtenAt
        self.bytes = bytes
    }
}
