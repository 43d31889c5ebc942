/// A digest of named lists of texts: FNV-1a with 128 bits (RFC 9923). It tells a changed configuration from an
/// unchanged one, across runs and versions; it is no defence against someone who may write the configuration anyway.
struct LaunchDigest: Sendable {
    private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

    /// Adds a field. Lengths go in as well, so that no two different lists read the same.
    mutating func add(_ name: String, _ texts: [String]) {
        add(name)
        add("\(texts.count)")
        for text in texts { add(text) }
    }

    /// 32 hexadecimal digits.
    var hexadecimal: String {
        // Halves, for a number of 128 bits is divided digit by digit.
        [UInt64(truncatingIfNeeded: state >> 64), UInt64(truncatingIfNeeded: state)]
            .map { half in
                let digits = String(half, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }

    private mutating func add(_ text: String) {
        for byte in "\(text.utf8.count):".utf8 { add(byte) }
        for byte in text.utf8 { add(byte) }
    }

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt128(byte)) &* LaunchDigest.prime
    }
}
