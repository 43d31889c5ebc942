import CZlib
import Testing

@testable import CentralService

/// Packs as devices do.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
        &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
    let room = output.count
    let left = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(room)
            deflate(&stream, Z_FINISH)
            return Int(stream.avail_out)
        }
    }
    return Array(output.dropLast(left))
}

@Suite("Unpacking what devices send")
struct GzipTests {
    private func unpack(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
        try bytes.withUnsafeBytes { (buffer) throws in try Gzip.unpack(buffer, limit: limit) }
    }

    @Test("what was packed comes out", arguments: [0, 1, 100, 4096, 100_000, 1 << 20])
    func roundTrip(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        #expect(try unpack(gzip(bytes)) == bytes)
    }

    @Test("exactly the limit is taken, one byte more is not, a bomb neither")
    func limit() throws {
        #expect(try unpack(gzip(Array(repeating: 7, count: 5000)), limit: 5000).count == 5000)
        #expect(throws: Gzip.Failure.tooLarge) { try unpack(gzip(Array(repeating: 7, count: 5001)), limit: 5000) }
        #expect(throws: Gzip.Failure.tooLarge) { try unpack(gzip(Array(repeating: 0, count: 32 << 20))) }
    }

    @Test("cut, flipped, followed by more, or not gzip at all: damaged")
    func damaged() throws {
        let good = gzip(Array("hello, hello, hello, hello".utf8))
        for count in 0..<good.count { #expect(throws: Gzip.Failure.damaged) { try unpack(Array(good.prefix(count))) } }
        #expect(throws: Gzip.Failure.damaged) { try unpack(good + [0]) }
        #expect(throws: Gzip.Failure.damaged) { try unpack(good + good) }
        var flipped = good
        flipped[good.count - 6] ^= 1
        #expect(throws: Gzip.Failure.damaged) { try unpack(flipped) }
        #expect(throws: Gzip.Failure.damaged) { try unpack(Array("{}".utf8)) }
    }
}
