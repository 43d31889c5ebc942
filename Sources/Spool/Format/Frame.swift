/// Records that were written together (docs/spool-format.md).
struct Frame {
    static let headerSize = 32
    static let largestBody = 2 << 20
    static let largestRecord = 1 << 20
    static let magic: UInt32 = 0x5246_4648  // "HFFR"
    private static let checkedHeader = 28

    var first: UInt64
    var count: Int
    var writtenAt: Int64
    /// Of the whole frame.
    var size: Int

    var last: UInt64 { first + UInt64(count) - 1 }

    /// Reads the frame that begins there; `nil` when what lies there is no valid one, or not all of it.
    init?(at offset: Int, in bytes: UnsafeRawBufferPointer) {
        guard let size = Frame.claimedSize(at: offset, in: bytes), bytes.count - offset >= size else { return nil }
        let header = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Frame.checkedHeader])
        let body = UnsafeRawBufferPointer(rebasing: bytes[offset + Frame.headerSize..<offset + size])
        guard body.checksum(header.checksum()) == bytes.number(at: offset + 28, as: UInt32.self) else { return nil }
        first = header.number(at: 8)
        count = Int(header.number(at: 16, as: UInt32.self))
        writtenAt = header.number(at: 20)
        self.size = size
        guard count > 0, first > 0, first <= UInt64.max - UInt64(count) else { return nil }
    }

    /// What a frame that begins there would take; `nil` when none does.
    static func claimedSize(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count - offset >= headerSize, bytes.number(at: offset, as: UInt32.self) == magic else {
            return nil
        }
        let body = Int(bytes.number(at: offset + 4, as: UInt32.self))
        return body <= largestBody ? headerSize + body : nil
    }

    /// The records, given the frame's bytes.
    func records(_ bytes: UnsafeRawBufferPointer) -> [SpoolRecord] {
        var records: [SpoolRecord] = []
        records.reserveCapacity(count)
        var offset = Frame.headerSize
        while records.count < count, offset < bytes.count {
            guard let length = Frame.length(at: &offset, in: bytes), length <= bytes.count - offset else { break }
            records.append(
                SpoolRecord(
                    sequence: first + UInt64(records.count), writtenAt: writtenAt,
                    bytes: Array(bytes[offset..<offset + length])))
            offset += length
        }
        return records
    }

    private static func length(at offset: inout Int, in bytes: UnsafeRawBufferPointer) -> Int? {
        var (value, shift) = (0, 0)
        while offset < bytes.count, shift < 28 {
            let byte = Int(bytes[offset])
            offset += 1
            value |= (byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}

/// A frame in the making.
struct FrameBuilder {
    private(set) var bytes: [UInt8]
    private(set) var count = 0
    let first: UInt64

    init(first: UInt64) {
        self.first = first
        bytes = []
        bytes.reserveCapacity(80 * 1024)
        bytes.appendZeroes(Frame.headerSize)
    }

    var isEmpty: Bool { count == 0 }
    var last: UInt64 { first + UInt64(count) - 1 }

    mutating func add(_ record: UnsafeRawBufferPointer) {
        var length = record.count
        while length >= 0x80 {
            bytes.append(UInt8(length & 0x7f | 0x80))
            length >>= 7
        }
        bytes.append(UInt8(length))
        bytes.append(contentsOf: record)
        count += 1
    }

    /// Whether the body has room for another record of that size.
    func hasRoom(for length: Int) -> Bool { bytes.count - Frame.headerSize + length + 4 <= Frame.largestBody }

    /// Completes the header; records may be added afterwards, and it be sealed anew.
    mutating func seal(writtenAt: Int64) {
        var header: [UInt8] = []
        header.reserveCapacity(Frame.headerSize)
        header.append(littleEndian: Frame.magic)
        header.append(littleEndian: UInt32(bytes.count - Frame.headerSize))
        header.append(littleEndian: first)
        header.append(littleEndian: UInt32(count))
        header.append(littleEndian: writtenAt)
        let sum = bytes.withUnsafeBytes {
            UnsafeRawBufferPointer(rebasing: $0[Frame.headerSize...]).checksum(header.checksum)
        }
        header.append(littleEndian: sum)
        bytes.replaceSubrange(..<Frame.headerSize, with: header)
    }
}
