import CZlib

/// Unpacks what a device has packed (RFC 1952), up to a bound: a few bytes can stand for gigabytes.
enum Gzip {
    enum Failure: Error { case damaged, tooLarge }

    /// - Throws: `damaged` for anything that is not one whole gzip member, `tooLarge` beyond `limit` bytes.
    static func unpack(_ packed: UnsafeRawBufferPointer, limit: Int) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        // 16 asks for a gzip header.
        guard
            inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .damaged }
        defer { inflateEnd(&stream) }
        let input = UnsafeMutableRawBufferPointer(mutating: packed).bindMemory(to: UInt8.self)
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        var bytes: [UInt8] = []
        var room = min(limit, max(4096, packed.count * 6))
        while true {
            let before = bytes.count
            // One byte more than allowed tells too much from just enough.
            bytes.append(contentsOf: repeatElement(0, count: min(room, limit + 1 - before)))
            let (code, left) = bytes.withUnsafeMutableBufferPointer { buffer in
                stream.next_out = buffer.baseAddress?.advanced(by: before)
                stream.avail_out = UInt32(buffer.count - before)
                return (inflate(&stream, Z_NO_FLUSH), Int(stream.avail_out))
            }
            bytes.removeLast(left)
            guard bytes.count <= limit else { throw .tooLarge }
            if code == Z_STREAM_END {
                guard stream.avail_in == 0 else { throw .damaged }
                return bytes
            }
            guard code == Z_OK, left == 0 else { throw .damaged }
            room = max(4096, bytes.count)
        }
    }
}
