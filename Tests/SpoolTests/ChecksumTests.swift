import CChecksum
import SeededRandom
import Testing

struct ChecksumTests {
    /// RFC 3720, appendix B.4.
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            ((0..<32).map { UInt8($0) }, 0x46dd_794e), ((0..<32).reversed().map { UInt8($0) }, 0x113f_db5c),
        ] as [([UInt8], UInt32)])
    func `it computes what the standard's examples say`(bytes: [UInt8], sum: UInt32) {
        #expect(hf_crc32c(0, bytes, bytes.count) == sum)
        #expect(hf_crc32c_by_table(0, bytes, bytes.count) == sum)
    }

    @Test func `the processor and the table agree, in one piece and in two`() {
        var random = SeededGenerator(seed: 3)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let sum = hf_crc32c(0, bytes, count)
            #expect(hf_crc32c_by_table(0, bytes, count) == sum)
            let cut = count / 3
            #expect(hf_crc32c(hf_crc32c(0, bytes, cut), Array(bytes[cut...]), count - cut) == sum)
        }
    }
}
