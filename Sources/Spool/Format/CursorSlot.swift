/// How far central has everything, and what was dropped (docs/spool-format.md).
struct CursorSlot: Equatable {
    static let file = "cursor"
    static let size = 128
    /// Of the two slots, by generation.
    static func offset(_ generation: UInt64) -> Int { generation % 2 == 0 ? 0 : 512 }
    private static let magic: UInt32 = 0x5543_4648  // "HFCU"
    private static let version: UInt16 = 1

    var generation: UInt64 = 0
    var id: SpoolID
    var acknowledged: UInt64 = 0
    /// No number up to this one is given to a record again.
    var usedUp: UInt64 = 0
    var dropped: UInt64 = 0
    var expired: UInt64 = 0
    var lost: UInt64 = 0
    /// Numbers up to this one that were missing when the spool was opened are in `lost` already.
    var missedThrough: UInt64 = 0

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.appendZeroes(2)
        bytes.append(littleEndian: generation)
        bytes += id.bytes
        for number in [acknowledged, usedUp, dropped, expired, lost, missedThrough] {
            bytes.append(littleEndian: number)
        }
        bytes.appendZeroes(Self.size - 4 - bytes.count)
        bytes.append(littleEndian: bytes.checksum)
        return bytes
    }

    init(id: SpoolID) {
        self.id = id
    }

    /// `nil` for a slot that is not valid, or of another version.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size, bytes.number(at: 0, as: UInt32.self) == Self.magic,
            bytes.number(at: 4, as: UInt16.self) == Self.version,
            UnsafeRawBufferPointer(rebasing: bytes[..<124]).checksum() == bytes.number(at: 124, as: UInt32.self)
        else { return nil }
        generation = bytes.number(at: 8)
        id = SpoolID(bytes: Array(bytes[16..<32]))
        acknowledged = bytes.number(at: 32)
        usedUp = bytes.number(at: 40)
        dropped = bytes.number(at: 48)
        expired = bytes.number(at: 56)
        lost = bytes.number(at: 64)
        missedThrough = bytes.number(at: 72)
    }
}
