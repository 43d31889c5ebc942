import LinuxSystem
import NIOCore

/// Content that is open to be read: it can be removed meanwhile, and is still read to its end.
final class ContentFile: Sendable {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    func size() throws -> Int64 { try SystemCall.status(descriptor.rawValue).size }

    func withDescriptor<Value>(_ body: (Int32) throws -> Value) rethrows -> Value { try body(descriptor.rawValue) }

    /// So many bytes, all of them.
    func read(_ count: Int, at offset: Int64) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var done = 0
        while done < count {
            let place = offset + Int64(done)
            let read = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { bytes in
                try SystemCall.read(
                    descriptor.rawValue, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(count - done)]),
                    at: place)
            }
            guard read > 0 else { throw CentralError(.content, "a file of the content is shorter than it was") }
            done += read
        }
        return buffer
    }
}
