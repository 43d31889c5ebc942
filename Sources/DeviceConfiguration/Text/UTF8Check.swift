/// Whether bytes are UTF-8, and where they cease to be.
enum UTF8Check {
    /// The place of the first byte that is no UTF-8; `nil` when all are.
    static func firstMistake(in bytes: [UInt8]) -> TextPosition? {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return position(ofByte: error.byteOffsets.lowerBound, in: bytes)
        }
    }

    private static func position(ofByte offset: Int, in bytes: [UInt8]) -> TextPosition {
        var position = TextPosition(line: 1, column: 1)
        for byte in bytes[..<min(offset, bytes.count)] {
            if byte == UInt8(ascii: "\n") {
                position = TextPosition(line: position.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                // Continuation bytes share the column of their code point.
                position.column += 1
            }
        }
        return position
    }
}
