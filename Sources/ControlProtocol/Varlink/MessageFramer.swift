/// Splits a byte stream into the NUL-terminated messages of Varlink, as the bytes arrive.
///
/// Memory is bounded: a message is refused as soon as more than `maximumMessageBytes` of it have come, terminated or
/// not, so at most that and one `append` are held. Take all messages with `next()` after each `append`.
package struct MessageFramer: Sendable {
    package struct TooLarge: Error, Equatable, Sendable, CustomStringConvertible {
        package var maximumMessageBytes: Int

        package var description: String {
            "the message is longer than the \(maximumMessageBytes) bytes allowed"
        }
    }

    package let maximumMessageBytes: Int
    private var buffer: [UInt8] = []
    /// Start of the first message that was not taken.
    private var start = 0
    /// Everything from `start` to here is known to hold no NUL, so that a slow sender costs no second search.
    private var searched = 0
    private var hasFailed = false

    package init(maximumMessageBytes: Int = JSONLimits.request.maximumBytes) {
        self.maximumMessageBytes = maximumMessageBytes
    }

    /// How much has come that was not taken.
    package var pendingBytes: Int { buffer.count - start }

    /// Adds what was read. After `TooLarge` the stream has no known message boundary: close the connection.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(TooLarge) {
        guard !hasFailed, pendingBytes <= maximumMessageBytes else { throw fail() }
        // A buffer that grew for one large message is not kept for the rest of the connection.
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
        } else {
            buffer.removeSubrange(..<start)
        }
        (start, searched) = (0, searched - start)
        buffer.append(contentsOf: bytes)
    }

    /// As `append(_:)` of a buffer.
    package mutating func append(_ bytes: [UInt8]) throws(TooLarge) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(TooLarge) in
            try append(UnsafeRawBufferPointer(buffer))
        }
    }

    /// The next complete message without its NUL, or `nil` when more bytes are needed.
    package mutating func next() throws(TooLarge) -> [UInt8]? {
        let end = buffer[searched...].firstIndex(of: 0)
        guard !hasFailed, (end ?? buffer.count) - start <= maximumMessageBytes else { throw fail() }
        guard let end else {
            searched = buffer.count
            return nil
        }
        defer { (start, searched) = (end + 1, end + 1) }
        return Array(buffer[start..<end])
    }

    /// A message with the NUL that ends it, ready to be written.
    package static func frame(_ message: some JSONConvertible) -> [UInt8] {
        message.json.serialised() + [0]
    }

    private static let keptCapacity = 64 * 1024

    private mutating func fail() -> TooLarge {
        hasFailed = true
        buffer = []
        (start, searched) = (0, 0)
        return TooLarge(maximumMessageBytes: maximumMessageBytes)
    }
}
