/// What `holdfastd` writes into a worker's FIFO before it starts the next process there: whatever follows is of that
/// process. A FIFO does not tell by itself where one process ends and the next begins, and whoever drains it may come
/// late. Written in one piece of less than PIPE_BUF bytes, a mark is never torn (pipe(7)).
///
/// A worker that prints the like of it deceives nobody but the readers of its own output.
package struct OutputMark: Equatable, Sendable {
    /// The instance that is about to start; see `HOLDFAST_INSTANCE`.
    package var instance: UInt64

    package init(instance: UInt64) {
        self.instance = instance
    }

    private static let prefix = Array("\0\0holdfast: process ".utf8)
    /// Bytes of any mark, at most.
    package static let longest = prefix.count + "\(UInt64.max)\n".utf8.count

    package var bytes: [UInt8] { Self.prefix + "\(instance)\n".utf8 }

    /// The first mark in a buffer, and where it stands.
    package static func first(in buffer: UnsafeRawBufferPointer) -> (mark: OutputMark, range: Range<Int>)? {
        var rest = buffer[...]
        // Text has no NUL: as a rule one look through the buffer is all.
        while let start = rest.firstIndex(of: 0) {
            if let (instance, end) = number(in: buffer[start...]) {
                return (OutputMark(instance: instance), start..<end)
            }
            rest = rest[(start + 1)...]
        }
        return nil
    }

    /// Where a mark begins that the buffer's end may have cut.
    package static func cutStart(in buffer: UnsafeRawBufferPointer) -> Int? {
        buffer.suffix(longest - 1).firstIndex(of: 0)
    }

    private static func number(in bytes: Slice<UnsafeRawBufferPointer>) -> (instance: UInt64, end: Int)? {
        guard bytes.starts(with: prefix) else { return nil }
        let digits = bytes.dropFirst(prefix.count).prefix(longest)
        guard let end = digits.firstIndex(of: UInt8(ascii: "\n")),
            let instance = UInt64(String(decoding: digits[..<end], as: UTF8.self))
        else { return nil }
        return (instance, end + 1)
    }
}
