/// Base64 (RFC 4648): the alphabet of section 4 with padding, or that of section 5 without.
package struct Base64: Sendable {
    package static let standard = Base64(last: ("+", "/"), isPadded: true)
    package static let url = Base64(last: ("-", "_"), isPadded: false)

    private let alphabet: [UInt8]
    private let values: [UInt8]
    private let isPadded: Bool
    private static let none: UInt8 = 0xff

    private init(last: (Unicode.Scalar, Unicode.Scalar), isPadded: Bool) {
        alphabet =
            Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
            + [UInt8(ascii: last.0), UInt8(ascii: last.1)]
        var values = [UInt8](repeating: Self.none, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
        self.isPadded = isPadded
    }

    package func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var (buffer, bits) = (0, 0)
        for byte in bytes {
            (buffer, bits) = (buffer << 8 | Int(byte), bits + 8)
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[buffer >> bits & 63])
            }
            buffer &= 63
        }
        if bits > 0 { text.append(alphabet[buffer << (6 - bits) & 63]) }
        while isPadded, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: `nil` for anything that `encode` would not have written, so that a value has one form only.
    package func decode(_ text: some StringProtocol) -> [UInt8]? {
        var characters = Array(text.utf8)
        if isPadded {
            guard characters.count % 4 == 0 else { return nil }
            for _ in 0..<2 where characters.last == UInt8(ascii: "=") { characters.removeLast() }
        }
        guard characters.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count * 3 / 4)
        var (buffer, bits) = (0, 0)
        for character in characters {
            let value = values[Int(character)]
            guard value != Self.none else { return nil }
            (buffer, bits) = (buffer << 6 | Int(value), bits + 6)
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
                buffer &= (1 << bits) - 1
            }
        }
        return buffer == 0 ? bytes : nil
    }
}
