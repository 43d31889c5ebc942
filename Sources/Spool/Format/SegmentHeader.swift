/// The first bytes of a segment (docs/spool-format.md).
struct SegmentHeader: Equatable {
    static let size = 64
    static let version: UInt16 = 1
    private static let magic = Array("HFSPOOL1".utf8)
    private static let suffix = ".seg"

    var id: SpoolID
    var first: UInt64
    /// In milliseconds since 1970.
    var createdAt: Int64

    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: UInt16(Self.size))
        bytes.appendZeroes(4)
        bytes += id.bytes
        bytes.append(littleEndian: first)
        bytes.append(littleEndian: createdAt)
        bytes.appendZeroes(12)
        bytes.append(littleEndian: bytes.checksum)
        return bytes
    }

    enum Reading: Equatable {
        case valid(SegmentHeader)
        case damaged
        case newer(version: Int)
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard bytes.count >= size, bytes.prefix(8).elementsEqual(magic),
            UnsafeRawBufferPointer(rebasing: bytes[..<60]).checksum() == bytes.number(at: 60, as: UInt32.self)
        else { return .damaged }
        let version: UInt16 = bytes.number(at: 8)
        guard version <= Self.version else { return .newer(version: Int(version)) }
        return .valid(
            SegmentHeader(
                id: SpoolID(bytes: Array(bytes[16..<32])), first: bytes.number(at: 32),
                createdAt: bytes.number(at: 40)))
    }

    /// The name of the segment that begins with this number.
    static func name(_ first: UInt64) -> String {
        let digits = String(first, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + suffix
    }

    /// `nil` for what is no segment's name.
    static func first(ofName name: String) -> UInt64? {
        guard name.hasSuffix(suffix), name.utf8.count == 16 + suffix.utf8.count else { return nil }
        return UInt64(name.dropLast(suffix.count), radix: 16)
    }
}
