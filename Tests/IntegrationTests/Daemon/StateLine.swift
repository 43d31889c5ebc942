/// A line of the state file (docs/state-format.md), written by somebody else than the daemon.
enum StateLine {
    static func text(_ body: [UInt8]) -> [UInt8] {
        let digits = String(checksum(body), radix: 16)
        return Array(String(repeating: "0", count: 8 - digits.count).utf8) + Array("\(digits) ".utf8) + body
    }

    /// CRC-32C, bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : (value >> 1) ^ 0x82F6_3B78 }
        }
        return ~value
    }
}
