/// What the numbers of a spool belong to: 16 random bytes.
package struct SpoolID: Hashable, Sendable, CustomStringConvertible {
    package var bytes: [UInt8]

    /// - Parameter bytes: 16.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == 16, "a spool's id has 16 bytes")
        self.bytes = bytes
    }

    package init(using random: inout some RandomNumberGenerator) {
        bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// As 32 hexadecimal digits.
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
