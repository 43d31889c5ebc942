import CChecksum

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func appendZeroes(_ count: Int) {
        append(contentsOf: repeatElement(0, count: count))
    }

    var checksum: UInt32 { withUnsafeBytes { $0.checksum() } }
}

extension UnsafeRawBufferPointer {
    /// - Precondition: the number lies within.
    func number<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// CRC-32C, continuing another.
    func checksum(_ former: UInt32 = 0) -> UInt32 { hf_crc32c(former, baseAddress, count) }
}
