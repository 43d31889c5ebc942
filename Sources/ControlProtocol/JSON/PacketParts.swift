/// A text between holdfastd and another of Holdfast's processes, in parts that fit a packet.
package struct PacketParts: Sequence, IteratorProtocol {
    /// In bytes. As text within JSON a part may be twice as long.
    private static let longest = 24 * 1024

    private var rest: Substring
    private var isDone = false

    package init(_ text: String) { rest = Substring(text) }

    /// One part at least, and no character in two of them.
    package mutating func next() -> (part: String, isLast: Bool)? {
        guard !isDone else { return nil }
        let part = rest.prefix(bytes: Self.longest)
        rest = rest[part.endIndex...]
        isDone = rest.isEmpty
        return (String(part), isDone)
    }
}

extension Substring {
    /// At most so many bytes, and no part of a character.
    fileprivate func prefix(bytes count: Int) -> Substring {
        guard var end = utf8.index(startIndex, offsetBy: count, limitedBy: endIndex) else { return self }
        while end < endIndex, !Unicode.Scalar.isFirst(utf8[end]) { end = utf8.index(before: end) }
        return self[..<end]
    }
}

extension Unicode.Scalar {
    /// Whether a byte of UTF-8 begins one.
    fileprivate static func isFirst(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }
}
